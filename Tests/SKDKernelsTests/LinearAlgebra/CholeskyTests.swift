import SKDKernels
import SKDTestSupport
import XCTest

final class CholeskyTests: XCTestCase {
  /// Around the padding; a Gram matrix of random rows plus a diagonal is well conditioned.
  func testFactorTimesItsTransposeIsTheMatrixAndSolvesIt() {
    for count in [1, 2, 7, 8, 9, 17, 40] {
      let length = paddedRowLength(count)
      let rows = uniform("rows", count: count * length, seed: count << 32)
      var matrix = [Double](repeating: 9, count: count * length)  // what is not read is 9
      for i in 0..<count {
        for j in 0...i {
          matrix[i * length + j] = (0..<length).reduce(i == j ? 0.5 : 0) {
            $0 + rows[i * length + $1] * rows[j * length + $1]
          }
        }
      }
      var factor = [Double](repeating: 9, count: count * length)
      choleskyFactor(matrix, count: count, length: length, into: &factor)
      for i in 0..<count {
        for j in 0..<length {
          if j > i { XCTAssertEqual(factor[i * length + j], 0) }
          guard j <= i else { continue }
          let product = (0..<count).reduce(0.0) {
            $0 + factor[i * length + $1] * factor[j * length + $1]
          }
          XCTAssertEqual(product, matrix[i * length + j], accuracy: 1e-13)
        }
      }

      let expected = uniform("x", count: count, seed: 0)
      var x = [Double](repeating: 0, count: length)
      for i in 0..<count {
        for j in 0..<count { x[i] += matrix[max(i, j) * length + min(i, j)] * expected[j] }
      }
      var scratch = [Double](repeating: 9, count: length)
      choleskySolve(factor, count: count, length: length, &x, scratch: &scratch)
      for i in 0..<count { XCTAssertEqual(x[i], expected[i], accuracy: 1e-11) }
      XCTAssertTrue(x[count...].allSatisfy { $0 == 0 })
    }
  }

  func testKnownFactorIsFound() {
    var matrix = [Double](repeating: 0, count: 16)
    (matrix[0], matrix[8], matrix[9]) = (4, 2, 10)
    var factor = [Double](repeating: 9, count: 16)
    choleskyFactor(matrix, count: 2, length: 8, into: &factor)
    XCTAssertEqual([factor[0], factor[8], factor[9]], [2, 1, 3])
  }

  func testSingularMatrixGetsAFiniteFactor() {
    for value in [0, 1, 1e300] {
      let matrix = [Double](repeating: value, count: 3 * 8)
      var factor = [Double](repeating: 9, count: 3 * 8)
      choleskyFactor(matrix, count: 3, length: 8, into: &factor)
      XCTAssertTrue(factor.allSatisfy(\.isFinite))
      XCTAssertTrue([0, 9, 18].allSatisfy { factor[$0] > 0 })
    }
  }
}
