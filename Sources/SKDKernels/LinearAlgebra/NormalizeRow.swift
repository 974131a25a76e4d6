/// `output = input / ||input||_2`, with the norm in Double; zeros stay zeros.
///
/// Overwrites `output`, which may be `input`; allocates nothing. `input` is finite.
public func normalizeRow(
  _ input: UnsafePointer<Float>, count: Int, into output: UnsafeMutablePointer<Float>
) {
  var squares = 0.0
  for i in 0..<count { squares += Double(input[i]) * Double(input[i]) }
  let inverse = squares > 0 ? 1 / squares.squareRoot() : 0
  for i in 0..<count { output[i] = Float(Double(input[i]) * inverse) }
}

/// `output = (input - mean) / ||input - mean||_2`, in Double until rounded at the end.
///
/// Overwrites `output`, which may be `input`; allocates nothing. The operands are finite.
public func normalizeRow(
  _ input: UnsafePointer<Float>, minus mean: UnsafePointer<Float>, count: Int,
  into output: UnsafeMutablePointer<Float>
) {
  var squares = 0.0
  for i in 0..<count {
    let difference = Double(input[i]) - Double(mean[i])
    squares += difference * difference
  }
  let inverse = squares > 0 ? 1 / squares.squareRoot() : 0
  for i in 0..<count { output[i] = Float((Double(input[i]) - Double(mean[i])) * inverse) }
}
