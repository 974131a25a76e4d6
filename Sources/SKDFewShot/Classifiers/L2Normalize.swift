import SKDKernels
import SKDRuntime

/// Divides each row by its Euclidean norm, after a mean is subtracted; a zero row stays zero.
///
/// - Parameters:
///   - features: `[rows, dimensions]`, finite.
///   - mean: `[dimensions]`, finite, or nil to subtract nothing.
///   - normalized: Same extent as `features`; overwritten. May be `features` itself.
/// - Complexity: O(rows · dimensions); allocates nothing.
public func l2Normalize(
  _ features: UnsafePointer<Float>, rows: Int, dimensions: Int, mean: UnsafePointer<Float>? = nil,
  into normalized: UnsafeMutablePointer<Float>
) {
  WorkerPool.shared.forEach((rows + rowsPerItem - 1) / rowsPerItem) { item, _ in
    for n in item * rowsPerItem..<min((item + 1) * rowsPerItem, rows) {
      let (row, result) = (features + n * dimensions, normalized + n * dimensions)
      if let mean {
        normalizeRow(row, minus: mean, count: dimensions, into: result)
      } else {
        normalizeRow(row, count: dimensions, into: result)
      }
    }
  }
}

/// Few enough to share out, and many enough to be worth it.
private let rowsPerItem = 256
