import SKDKernels
import SKDTestSupport
import XCTest

final class NormalizeRowTests: XCTestCase {
  func testARowIsDividedByItsEuclideanNorm() {
    for count in [1, 2, 17, 640] {
      let row = values("row", count)
      let norm = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      var normalized = [Float](repeating: .nan, count: count)
      normalizeRow(row, count: count, into: &normalized)
      // One rounding of the quotient.
      assertClose(normalized, row.map { Float(Double($0) / norm) }, relative: 1e-7, "\(count)")
    }
  }

  func testZerosStayZerosAndAnEmptyRowIsLegal() {
    var zeros = [Float](repeating: .nan, count: 3)
    normalizeRow([0, 0, 0], count: 3, into: &zeros)
    XCTAssertEqual(zeros, [0, 0, 0])
    normalizeRow([0], count: 0, into: &zeros)
    XCTAssertEqual(zeros, [0, 0, 0])
  }

  func testItWorksInPlaceAndDoesNotOverflow() {
    var row: [Float] = [3e38, 0, -3e38]
    row.withUnsafeMutableBufferPointer {
      normalizeRow(UnsafePointer($0.baseAddress!), count: 3, into: $0.baseAddress!)
    }
    let half = Float(0.5).squareRoot()
    assertClose(row, [half, 0, -half], relative: 1e-7)
  }
}
