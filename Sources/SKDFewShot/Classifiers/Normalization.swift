import SKDKernels

/// Divides each row by its Euclidean norm; a zero row stays zero.
///
/// - Parameters:
///   - features: `[rows, dimensions]`, finite.
///   - normalized: Same extent; overwritten. May be `features` itself.
/// - Complexity: O(rows · dimensions); allocates nothing.
public func l2Normalize(
  _ features: UnsafePointer<Float>, rows: Int, dimensions: Int,
  into normalized: UnsafeMutablePointer<Float>
) {
  for n in 0..<rows {
    normalizeRow(features + n * dimensions, count: dimensions, into: normalized + n * dimensions)
  }
}
