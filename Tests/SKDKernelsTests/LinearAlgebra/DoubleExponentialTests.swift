import Foundation
import XCTest

@testable import SKDKernels

final class DoubleExponentialTests: XCTestCase {
  func testExponentialIsWithinTwoUlp() {
    var worst = 0.0
    for first in stride(from: -708.0, through: 709, by: 0.0371) {
      let x = lanes(from: first, step: 0.0023)
      let y = exponential(x)
      for i in 0..<8 { worst = max(worst, abs(y[i] - exp(x[i])) / exp(x[i]).ulp) }
    }
    XCTAssertLessThan(worst, 2)
    XCTAssertEqual(exponential(lanes(from: 0, step: 0))[5], 1)
  }

  func testExponentialOfExtremesIsZeroOrFinite() {
    for x in [-708.5, -1e6, -1e300, -.infinity] as [Double] {
      XCTAssertEqual(exponential(lanes(from: x, step: 0))[3], 0)
    }
    for x in [709.8, 1e300, .infinity] as [Double] {
      XCTAssertEqual(exponential(lanes(from: x, step: 0))[3], exp(709.7), accuracy: 1e295)
    }
    XCTAssertTrue(exponential(lanes(from: .nan, step: 0))[3].isNaN)
  }

  func testLogarithmOfOnePlusIsWithinTwoUlp() {
    var worst = 0.0
    for power in stride(from: -30.0, through: 0, by: 0.011) {
      let x = lanes(from: 0, step: pow(10, power) / 7)
      let y = logarithmOfOnePlus(x)
      for i in 1..<8 { worst = max(worst, abs(y[i] - log1p(x[i])) / log1p(x[i]).ulp) }
      XCTAssertEqual(y[0], 0)
    }
    XCTAssertLessThanOrEqual(worst, 2)
    XCTAssertTrue(logarithmOfOnePlus(lanes(from: .nan, step: 0))[3].isNaN)
  }

  private func lanes(from first: Double, step: Double) -> DoubleVector {
    var vector = DoubleVector()
    for i in 0..<8 { vector[i] = first + Double(i) * step }
    return vector
  }
}
