import Foundation
import SKDKernels
import SKDTestSupport
import XCTest

final class SoftmaxRowsTests: XCTestCase {
  func testRowsMatchTheFormulaInPlaceToo() {
    let (rows, classes) = (3, 5)
    let logits = uniform("logits", count: rows * classes, seed: 0)
    var output = logits
    output.withUnsafeMutableBufferPointer {
      softmaxRows($0.baseAddress!, rows: rows, classes: classes, into: $0.baseAddress!)
    }
    for (i, value) in output.enumerated() {
      let row = logits[i / classes * classes..<i / classes * classes + classes]
      XCTAssertEqual(value, exp(logits[i]) / row.map(exp).reduce(0, +), accuracy: 1e-15)
    }
  }

  func testLargeLogitsDoNotOverflow() {
    var output = [9.0, 9, 9]
    softmaxRows([1e300, -1e300, 1e300], rows: 1, classes: 3, into: &output)
    XCTAssertEqual(output, [0.5, 0, 0.5])
  }
}
