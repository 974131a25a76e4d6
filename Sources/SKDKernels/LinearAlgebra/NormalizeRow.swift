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
