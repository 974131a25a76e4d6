import SKDKernels
import SKDRuntime

/// A large system of linear equations with a symmetric positive definite matrix, which is factored
/// once for the right-hand sides of all classes.
///
/// Write `matrix`, factor it, then solve for any number of rows at once.
final class SharedSystem {
  let count: Int
  /// Length of a row of the matrix and of a right-hand side, zero padding included.
  let length: Int
  private let memory: AlignedBuffer<Double>

  /// - Parameter count: Unknowns, `>= 1`.
  /// - Throws: `SKDError.outOfMemory`.
  init(count: Int) throws {
    self.count = count
    length = paddedRowLength(count)
    memory = try AlignedBuffer(
      count: 2 * count * length + BlockedCholesky.inverseCount(count)
        + BlockedCholesky.scratchCount(count))
  }

  /// `[count, length]`, whose padding stays zero; factoring overwrites it.
  var matrix: UnsafeMutablePointer<Double> { memory.pointer }

  private var factors: UnsafeMutablePointer<Double> { matrix + count * length }
  private var inverses: UnsafeMutablePointer<Double> { factors + count * length }
  private var scratch: UnsafeMutablePointer<Double> {
    inverses + BlockedCholesky.inverseCount(count)
  }

  /// Adds to the diagonal and factors; the transposed factor takes the place of the matrix.
  func factor(adding diagonal: Double) {
    for i in 0..<count { matrix[i * length + i] += diagonal }
    BlockedCholesky.factor(
      matrix, count: count, length: length, into: factors, inverses: inverses, scratch: scratch)
    transpose(
      factors, rows: count, columns: count, length: length, outputLength: length, into: matrix)
  }

  /// Solves for each row of a matrix, in place.
  ///
  /// - Parameters:
  ///   - x: `[rows, length]`, padded with zeros.
  ///   - scratch: `BlockedCholesky.solveScratchCount(rows: rows)` elements.
  func solve(
    _ x: UnsafeMutablePointer<Double>, rows: Int, scratch: UnsafeMutablePointer<Double>
  ) {
    BlockedCholesky.solve(
      factors, transposed: matrix, inverses: inverses, count: count, length: length, x,
      rows: rows, scratch: scratch)
  }
}

/// Whether a fit is large enough for the matrix products and threads of the large solvers. The small
/// ones, which fit episodes of a few classes, set up less.
func isLargeFit(rows: Int, dimensions: Int, classes: Int) -> Bool {
  rows * classes > 2048 || min(rows, dimensions) > 128
}
