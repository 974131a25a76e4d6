import SKDKernels
import SKDTestSupport
import XCTest

final class BlockedCholeskyTests: XCTestCase {
  /// A matrix of products of random rows, plus a diagonal: well conditioned. What is not read is 9.
  private func matrix(_ count: Int) -> [Double] {
    let length = paddedRowLength(count)
    let rows = uniform("rows", count: count * length, seed: count << 32)
    var matrix = [Double](repeating: 9, count: count * length)
    for i in 0..<count {
      for j in 0...i {
        matrix[i * length + j] = (0..<length).reduce(i == j ? 0.5 : 0) {
          $0 + rows[i * length + $1] * rows[j * length + $1]
        }
      }
    }
    return matrix
  }

  private func factor(_ matrix: [Double], _ count: Int) -> (factor: [Double], inverses: [Double]) {
    let length = paddedRowLength(count)
    var factor = [Double](repeating: .nan, count: count * length)
    var inverses = [Double](repeating: .nan, count: BlockedCholesky.inverseCount(count))
    var scratch = [Double](repeating: .nan, count: BlockedCholesky.scratchCount(count))
    BlockedCholesky.factor(
      matrix, count: count, length: length, into: &factor, inverses: &inverses, scratch: &scratch)
    return (factor, inverses)
  }

  /// Solves for `rows` right-hand sides that are padded with zeros.
  private func solve(_ matrix: [Double], _ count: Int, _ right: [Double]) -> [Double] {
    let length = paddedRowLength(count)
    let (factor, inverses) = factor(matrix, count)
    var transposed = [Double](repeating: 0, count: count * length)
    for i in 0..<count {
      for j in 0...i { transposed[j * length + i] = factor[i * length + j] }
    }
    let rows = right.count / length
    var x = right
    var scratch = [Double](
      repeating: .nan, count: BlockedCholesky.solveScratchCount(rows: rows))
    BlockedCholesky.solve(
      factor, transposed: transposed, inverses: inverses, count: count, length: length, &x,
      rows: rows, scratch: &scratch)
    return x
  }

  /// Around the blocks of 48 columns; the sums round in another order than those of `choleskyFactor`.
  func testFactorIsThatOfCholeskyFactor() {
    for count in [1, 2, 7, 47, 48, 49, 97, 150] {
      let (matrix, length) = (matrix(count), paddedRowLength(count))
      var expected = [Double](repeating: 9, count: count * length)
      choleskyFactor(matrix, count: count, length: length, into: &expected)
      let found = factor(matrix, count).factor
      for i in found.indices { XCTAssertEqual(found[i], expected[i], accuracy: 1e-12, "\(count)") }
    }
  }

  func testSolutionsSolveTheSystemAndKeepThePadding() {
    for (count, rows) in [(1, 1), (2, 3), (7, 1), (47, 5), (48, 33), (49, 2), (97, 4), (150, 70)] {
      let (matrix, length) = (matrix(count), paddedRowLength(count))
      let expected = uniform("x", count: rows * count, seed: count << 32)
      var right = [Double](repeating: 0, count: rows * length)
      for r in 0..<rows {
        for i in 0..<count {
          right[r * length + i] = (0..<count).reduce(0.0) {
            $0 + matrix[max(i, $1) * length + min(i, $1)] * expected[r * count + $1]
          }
        }
      }
      let x = solve(matrix, count, right)
      for r in 0..<rows {
        for i in 0..<length {
          XCTAssertEqual(
            x[r * length + i], i < count ? expected[r * count + i] : 0, accuracy: 1e-10, "\(count)")
        }
      }
    }
  }

  func testSingularMatrixGetsAFiniteFactorAndSolution() {
    for value in [0, 1, 1e300] {
      for count in [3, 60] {
        let length = paddedRowLength(count)
        let matrix = [Double](repeating: value, count: count * length)
        let (factor, inverses) = factor(matrix, count)
        XCTAssertTrue(factor.allSatisfy(\.isFinite) && inverses.allSatisfy(\.isFinite), "\(value)")
        XCTAssertTrue((0..<count).allSatisfy { factor[$0 * (length + 1)] > 0 }, "\(value)")
        if value == 0 { continue }  // its solution is beyond the largest number
        let right = (0..<length).map { $0 < count ? 1.0 : 0 }
        XCTAssertTrue(solve(matrix, count, right).allSatisfy(\.isFinite), "\(value)")
      }
    }
  }

  func testFactorAndSolutionsHaveTheSameBitsForAnyNumberOfThreads() {
    let matrix = matrix(150)
    let right = uniform("right", count: 200 * 152, seed: 0).enumerated().map {
      $0.offset % 152 < 150 ? $0.element : 0
    }
    assertSameDoublesForAnyThreadCount {
      let (factor, inverses) = factor(matrix, 150)
      return factor + inverses + solve(matrix, 150, right)
    }
  }
}
