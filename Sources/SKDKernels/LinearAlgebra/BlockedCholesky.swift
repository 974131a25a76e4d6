/// Cholesky factors of large matrices, in blocks whose products run on all threads, and the solution of
/// many systems with one factor.
///
/// The factor is that of `choleskyFactor`, which is for small matrices, but for rounding.
public enum BlockedCholesky {
  /// Columns that are factored at once.
  private static let blockSize = 48
  /// Systems that a thread solves at once.
  private static let rowsAtOnce = 32

  /// Elements of scratch memory for the factor of a matrix of `count` rows.
  public static func scratchCount(_ count: Int) -> Int { (count + blockSize) * blockSize }

  /// Elements of the inverted blocks on the diagonal of a factor: each, and transposed.
  public static func inverseCount(_ count: Int) -> Int {
    ceilDivide(count, blockSize) * 2 * blockSize * blockSize
  }

  /// Elements of scratch memory for the solution of `rows` systems.
  public static func solveScratchCount(rows: Int) -> Int { rows * blockSize }

  /// Factors a symmetric positive definite matrix: `matrix = factor factorᵀ`.
  ///
  /// A pivot below the rounding of its diagonal entry is lifted to it, as by `choleskyFactor`.
  ///
  /// Writes (`=`) `factor` with zeros above the diagonal and in the padding; reads the lower triangle
  /// of `matrix`. Operands must not overlap; allocates nothing.
  ///
  /// - Parameters:
  ///   - matrix: `[count, length]`, positive semidefinite but for rounding.
  ///   - count: Rows, `>= 1`.
  ///   - length: Padded length of a row.
  ///   - factor: `[count, length]`.
  ///   - inverses: `inverseCount(count)` elements; overwritten, for `solve`.
  ///   - scratch: `scratchCount(count)` elements.
  /// - Complexity: O(count³).
  public static func factor(
    _ matrix: UnsafePointer<Double>, count: Int, length: Int,
    into factor: UnsafeMutablePointer<Double>, inverses: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    let (block, panel) = (scratch, scratch + blockSize * blockSize)
    for i in 0..<count {
      let row = factor + i * length
      row.update(from: matrix + i * length, count: i + 1)
      (row + i + 1).update(repeating: 0, count: length - i - 1)
    }
    for first in stride(from: 0, to: count, by: blockSize) {
      let (columns, below) = (min(blockSize, count - first), first + blockSize)
      let corner = factor + first * (length + 1)
      multiplyRows(
        factor + first * length, aRows: count - first, aLength: length, factor + first * length,
        bRows: columns, bLength: length, depth: first, into: corner, outputLength: length,
        update: .subtract)
      factorBlock(
        corner, length: length, matrix + first * (length + 1), columns, count, into: block)
      for i in 0..<columns {
        (corner + i * length).update(from: block + i * blockSize, count: columns)
      }
      let inverse = inverses + 2 * first * blockSize
      invertBlock(block, columns, into: inverse)
      guard below < count else { return }
      for i in below..<count {
        (panel + (i - below) * blockSize).update(
          from: factor + (i * length + first), count: blockSize)
      }
      multiplyRows(
        panel, aRows: count - below, aLength: blockSize, inverse, bRows: blockSize,
        bLength: blockSize, depth: blockSize, into: factor + (below * length + first),
        outputLength: length)
    }
  }

  /// Solves `factor factorᵀ x = x'` for each row x' of a matrix, in place and on all threads.
  ///
  /// - Parameters:
  ///   - factor: `[count, length]`, written by `factor`.
  ///   - transposed: `factor` transposed, its padding zero.
  ///   - inverses: Inverted blocks, written by `factor`.
  ///   - x: `[rows, length]`, padded with zeros; overwritten but for its padding.
  ///   - scratch: `solveScratchCount(rows: rows)` elements.
  /// - Complexity: O(rows · count²); allocates nothing.
  public static func solve(
    _ factor: UnsafePointer<Double>, transposed: UnsafePointer<Double>,
    inverses: UnsafePointer<Double>, count: Int, length: Int, _ x: UnsafeMutablePointer<Double>,
    rows: Int, scratch: UnsafeMutablePointer<Double>
  ) {
    let blocks = ceilDivide(count, blockSize)
    let workers = workers(forElements: rows * count)
    forEachChunk(of: rows, size: rowsAtOnce, workers: workers) { start, end in
      let (x, panel, rows) = (x + start * length, scratch + start * blockSize, end - start)
      for block in 0..<blocks {
        let first = block * blockSize
        let columns = min(blockSize, count - first)
        multiplyRows(
          x, aRows: rows, aLength: length, factor + first * length, bRows: columns,
          bLength: length, depth: first, into: x + first, outputLength: length, update: .subtract)
        multiply(
          x + first, rows: rows, length: length, inverses + 2 * first * blockSize, columns, panel)
      }
      for block in (0..<blocks).reversed() {
        let first = block * blockSize
        let columns = min(blockSize, count - first)
        let end = min(first + blockSize, length)
        multiplyRows(
          x + end, aRows: rows, aLength: length, transposed + (first * length + end),
          bRows: columns, bLength: length, depth: length - end, into: x + first,
          outputLength: length, update: .subtract)
        multiply(
          x + first, rows: rows, length: length,
          inverses + (2 * first + blockSize) * blockSize, columns, panel)
      }
    }
  }

  /// `x = x inverseᵀ` for `columns` columns of rows, by way of `panel`.
  private static func multiply(
    _ x: UnsafeMutablePointer<Double>, rows: Int, length: Int, _ inverse: UnsafePointer<Double>,
    _ columns: Int, _ panel: UnsafeMutablePointer<Double>
  ) {
    let depth = paddedRowLength(columns)
    for i in 0..<rows {
      (panel + i * blockSize).update(from: x + i * length, count: depth)
    }
    multiplyRows(
      panel, aRows: rows, aLength: blockSize, inverse, bRows: columns, bLength: blockSize,
      depth: depth, into: x, outputLength: length)
  }

  /// Factors a block on the diagonal, `[count, length]`, into `[blockSize, blockSize]`.
  ///
  /// - Parameters:
  ///   - matrix: The block before the products of earlier columns were subtracted; rounding is
  ///     measured by its diagonal.
  ///   - size: Rows of the whole matrix.
  private static func factorBlock(
    _ block: UnsafePointer<Double>, length: Int, _ matrix: UnsafePointer<Double>, _ count: Int,
    _ size: Int, into factor: UnsafeMutablePointer<Double>
  ) {
    factor.update(repeating: 0, count: blockSize * blockSize)
    for i in 0..<count {
      let (row, a) = (factor + i * blockSize, block + i * length)
      for j in 0..<i {
        let other = factor + j * blockSize
        row[j] = (a[j] - dotProduct(row, other, length: paddedRowLength(j))) / other[j]
      }
      let pivot = a[i] - dotProduct(row, row, length: paddedRowLength(i))
      let rounding = Double(size) * Double.ulpOfOne * matrix[i * (length + 1)]
      row[i] = max(pivot, rounding, .leastNormalMagnitude).squareRoot()
    }
  }

  /// Inverts a lower triangular block of `count` rows; writes the transposed inverse after it.
  private static func invertBlock(
    _ block: UnsafePointer<Double>, _ count: Int, into inverse: UnsafeMutablePointer<Double>
  ) {
    let transposed = inverse + blockSize * blockSize
    inverse.update(repeating: 0, count: 2 * blockSize * blockSize)
    for i in 0..<count {
      let (row, result) = (block + i * blockSize, inverse + i * blockSize)
      for l in 0..<i {
        addScaled(inverse + l * blockSize, by: -row[l], length: blockSize, to: result)
      }
      result[i] = 1
      divide(result, by: row[i], length: blockSize, into: result)
      for j in 0...i { transposed[j * blockSize + i] = result[j] }
    }
  }
}
