import SKDRuntime

/// `output[i, j] = sum_l a[i, l] b[j, l]`, or `+=` or `-=`: a product of rows with rows, in blocks and
/// on all threads. (`multiplyByTranspose` is for the matrices of small classifiers.)
///
/// Writes `aRows x bRows` entries. `output` may be a part of the rows of `a` and `b` that is not read.
///
/// - Parameters:
///   - a: `[aRows, aLength]`, of which the first `depth` columns count.
///   - b: `[bRows, bLength]`; may be the same as `a`.
///   - depth: A multiple of `paddedRowUnit`; columns of padding are zero.
///   - output: `[aRows, outputLength]`, `outputLength >= bRows`.
/// - Complexity: O(aRows · bRows · depth); allocates nothing.
public func multiplyRows(
  _ a: UnsafePointer<Double>, aRows: Int, aLength: Int, _ b: UnsafePointer<Double>, bRows: Int,
  bLength: Int, depth: Int, into output: UnsafeMutablePointer<Double>, outputLength: Int,
  update: ProductUpdate = .overwrite
) {
  let (rowBlocks, columnBlocks) = (ceilDivide(aRows, blockRows), ceilDivide(bRows, blockRows))
  let workers = workers(forElements: aRows * bRows * depth / productsPerElement)
  WorkerPool.shared.forEach(rowBlocks * columnBlocks, workers: workers) { item, _ in
    let (i, j) = (item % rowBlocks * blockRows, item / rowBlocks * blockRows)
    multiplyInParts(
      a + i * aLength, rows: min(blockRows, aRows - i), aLength: aLength, b + j * bLength,
      columns: min(blockRows, bRows - j), bLength: bLength, depth: depth,
      into: output + (i * outputLength + j), outputLength: outputLength, update)
  }
}

/// `output[i, j] = sum_l a[i, l] a[j, l]`: the products of rows with each other, on all threads.
///
/// - Parameters:
///   - a: `[rows, length]`, padded with zeros.
///   - output: `[rows, outputLength]`, `outputLength >= rows`; both triangles are written. Must not
///     overlap `a`.
///   - update: `.overwrite` or `.add`.
/// - Complexity: O(rows² · length), half of the products of `multiplyRows`; allocates nothing.
public func multiplyRowsByEachOther(
  _ a: UnsafePointer<Double>, rows: Int, length: Int, into output: UnsafeMutablePointer<Double>,
  outputLength: Int, update: ProductUpdate = .overwrite
) {
  let blocks = ceilDivide(rows, blockRows)
  let workers = workers(forElements: rows * rows * length / productsPerElement)
  WorkerPool.shared.forEach(blocks * blocks, workers: workers) { item, _ in
    let (i, j) = (item / blocks * blockRows, item % blocks * blockRows)
    guard j <= i else { return }
    let (blockHeight, columns) = (min(blockRows, rows - i), min(blockRows, rows - j))
    multiplyInParts(
      a + i * length, rows: blockHeight, aLength: length, a + j * length, columns: columns,
      bLength: length, depth: length, into: output + (i * outputLength + j),
      outputLength: outputLength, update)
    guard j < i else { return }
    for c in j..<j + columns {
      for r in i..<i + blockHeight { output[c * outputLength + r] = output[r * outputLength + c] }
    }
  }
}

/// Rows of a block of the output, and columns.
private let blockRows = 48

/// Products that take as long as an element of the other loops.
private let productsPerElement = 64

/// Products that are summed up in registers: so much of the rows of a tile stays in the first cache
/// while the other rows pass by.
private let mostDepth = 1024

/// A block of the output, in equal parts of the depth.
private func multiplyInParts(
  _ a: UnsafePointer<Double>, rows: Int, aLength: Int, _ b: UnsafePointer<Double>, columns: Int,
  bLength: Int, depth: Int, into output: UnsafeMutablePointer<Double>, outputLength: Int,
  _ update: ProductUpdate
) {
  let parts = max(ceilDivide(depth, mostDepth), 1)
  let step = paddedRowLength(ceilDivide(depth, parts))
  var first = 0
  repeat {
    multiplyRowBlock(
      a + first, rows: rows, aLength: aLength, b + first, columns: columns, bLength: bLength,
      depth: min(step, depth - first), into: output, outputLength: outputLength,
      first > 0 && update == .overwrite ? .add : update)
    first += step
  } while first < depth
}
