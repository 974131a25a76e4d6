/// The mean of a sample and the uncertainty of that mean.
public struct ConfidenceInterval: Sendable, Equatable {
  public var mean: Double
  /// Half of the width of the 95 % interval.
  public var halfWidth: Double

  /// The interval of Student's t:
  ///
  ///     halfWidth = t(0.975, n - 1) s / sqrt(n),   s² = sum (x - mean)² / (n - 1)
  ///
  /// - Parameter values: At least one, finite; the half-width for a single one is 0.
  /// - Complexity: O(count).
  public init(of values: UnsafeBufferPointer<Double>) {
    precondition(!values.isEmpty)
    let count = Double(values.count)
    let mean = values.reduce(0) { $0 + $1 / count }
    self.mean = mean
    guard values.count > 1 else {
      halfWidth = 0
      return
    }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / (count - 1)).squareRoot()
    halfWidth =
      studentQuantile95(degreesOfFreedom: values.count - 1) * deviation / count.squareRoot()
  }
}
