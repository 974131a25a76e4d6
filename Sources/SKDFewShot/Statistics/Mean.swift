/// The mean of finite values, to the last bit or nearly so: equal values have exactly their mean,
/// and the order of the values does not matter.
///
/// The sum is kept in two Doubles (Neumaier 1974) and divided once. It must not overflow.
///
/// - Parameter values: At least one.
/// - Complexity: O(count).
public func mean(of values: some Collection<Double>) -> Double {
  precondition(!values.isEmpty)
  var (sum, lost) = (0.0, 0.0)
  for value in values {
    let next = sum + value
    lost += sum.magnitude >= value.magnitude ? (sum - next) + value : (value - next) + sum
    sum = next
  }
  let count = Double(values.count)
  let total = sum + lost
  let quotient = total / count
  let remainder = total.addingProduct(-quotient, count) + ((sum - total) + lost)
  return quotient + remainder / count
}
