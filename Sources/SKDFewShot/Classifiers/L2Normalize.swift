import SKDKernels
import SKDRuntime

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
  WorkerPool.shared.forEach((rows + rowsPerItem - 1) / rowsPerItem) { item, _ in
    for n in item * rowsPerItem..<min((item + 1) * rowsPerItem, rows) {
      normalizeRow(features + n * dimensions, count: dimensions, into: normalized + n * dimensions)
    }
  }
}

/// Few enough to share out, and many enough to be worth it.
private let rowsPerItem = 256
