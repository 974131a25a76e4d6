import SKDKernels
import SKDRuntime

/// A system of linear equations with a symmetric positive definite matrix, and its memory.
///
/// Write `matrix`, factor it, then write any number of right-hand sides to `solution` and solve.
final class SymmetricSystem {
  /// Length of a row of the full matrix, zero padding included.
  let length: Int
  private let capacity: Int
  private let memory: AlignedBuffer<Double>

  /// - Parameter count: Unknowns, `>= 1`.
  /// - Throws: `SKDError.outOfMemory`.
  init(count: Int) throws {
    capacity = count
    length = paddedRowLength(count)
    memory = try AlignedBuffer(count: (2 * count + 2) * length)
  }

  /// `[count, length]`.
  var matrix: UnsafeMutablePointer<Double> { memory.pointer }
  /// `length` elements with zero padding: the right-hand side, and after `solve` the solution.
  var solution: UnsafeMutablePointer<Double> { memory.pointer + 2 * capacity * length }

  private var factors: UnsafeMutablePointer<Double> { memory.pointer + capacity * length }
  private var scratch: UnsafeMutablePointer<Double> { solution + length }

  /// Adds to the diagonal and factors.
  ///
  /// - Parameter count: Unknowns, if they are fewer than there is room for.
  func factor(adding diagonal: Double, count: Int? = nil) {
    let count = count ?? capacity
    for i in 0..<count { matrix[i * length + i] += diagonal }
    choleskyFactor(matrix, count: count, length: length, into: factors)
  }

  /// Solves for the right-hand side in `solution`.
  func solve(count: Int? = nil) {
    choleskySolve(
      factors, count: count ?? capacity, length: length, solution, scratch: scratch)
  }
}
