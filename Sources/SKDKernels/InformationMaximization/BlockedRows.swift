// Matrices of the products of `multiplyBlocked`, in Float: [ceil(columns / 32)][rows][32], columns
// beyond the last are zero.

/// Number of blocks of a blocked matrix.
public func blockCount(columns: Int) -> Int { ceilDivide(columns, blockWidth) }

/// Elements of a blocked matrix.
public func blockedCount(rows: Int, columns: Int) -> Int {
  blockCount(columns: columns) * rows * blockWidth
}

/// `blocks[b, i, j] = rows[i, 32 b + j]`.
///
/// Writes (`=`) all of `blocks`; allocates nothing.
///
/// - Parameters:
///   - rows: `[rowCount, length]`, of which the first `columns` columns count.
///   - blocks: `[ceil(columns / 32)][rowCount][32]`.
public func packBlocks(
  _ rows: UnsafePointer<Double>, rowCount: Int, columns: Int, length: Int,
  into blocks: UnsafeMutablePointer<Float>
) {
  blocks.update(repeating: 0, count: blockedCount(rows: rowCount, columns: columns))
  for i in 0..<rowCount {
    for column in 0..<columns {
      let (b, j) = (column / blockWidth, column % blockWidth)
      blocks[(b * rowCount + i) * blockWidth + j] = Float(rows[i * length + column])
    }
  }
}

/// `blocks[b, d, j] = rows[32 b + j, d]`: the blocks of the transpose.
///
/// Writes (`=`) all of `blocks`; allocates nothing.
///
/// - Parameters:
///   - rows: `[rowCount, length]`, of which the first `columns` columns count.
///   - blocks: `[ceil(rowCount / 32)][columns][32]`.
public func packTransposedBlocks(
  _ rows: UnsafePointer<Double>, rowCount: Int, columns: Int, length: Int,
  into blocks: UnsafeMutablePointer<Float>
) {
  blocks.update(repeating: 0, count: blockedCount(rows: columns, columns: rowCount))
  for i in 0..<rowCount {
    let target = blocks + i / blockWidth * columns * blockWidth + i % blockWidth
    for d in 0..<columns { target[d * blockWidth] = Float(rows[i * length + d]) }
  }
}

/// `c[b, r, j] = sum_k a[r, k] b[b, k, j]` on the calling thread.
///
/// Writes (`=`); operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - a: Blocked, `[ceil(depth / 32)][rows][32]`.
///   - b: Blocked, `[blocks][depth][32]`, aligned to 64 bytes.
///   - c: Blocked, `[blocks][rows][32]`.
/// - Complexity: O(rows · depth · blocks).
public func multiplyBlocked(
  _ a: UnsafePointer<Float>, rows: Int, depth: Int, _ b: UnsafePointer<Float>, blocks: Int,
  into c: UnsafeMutablePointer<Float>
) {
  for block in 0..<blocks {
    multiplyBlock(
      a, blockStride: rows * blockWidth, rowCount: rows, b + block * depth * blockWidth,
      depth: depth, into: c + block * rows * blockWidth, rowStride: blockWidth)
  }
}
