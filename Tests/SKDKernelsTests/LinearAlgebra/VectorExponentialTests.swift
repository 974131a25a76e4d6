import Foundation
import XCTest

@testable import SKDKernels

final class VectorExponentialTests: XCTestCase {
  func testExponentialIsWithinTwoUlpOfDouble() {
    var worst = 0.0
    for first in stride(from: Float(-87), through: 87, by: 0.0371) {
      let x = lanes(from: first, step: 0.0023)
      let y = exponential(x)
      for i in 0..<16 where x[i] <= 87 {
        let expected = exp(Double(x[i]))
        worst = max(worst, abs(Double(y[i]) - expected) / Double(Float(expected).ulp))
      }
    }
    XCTAssertLessThan(worst, 2)
    XCTAssertEqual(exponential(lanes(from: 0, step: 0))[5], 1)
  }

  func testExponentialIsConstantBeyondItsRange() {
    for (x, bound) in [(-1e30, -87), (-Double.infinity, -87), (1e30, 88)] as [(Double, Float)] {
      XCTAssertEqual(
        exponential(lanes(from: Float(x), step: 0)), exponential(lanes(from: bound, step: 0)))
    }
  }

  func testLogarithmIsWithinTwoUlpOfDouble() {
    var worst = 0.0
    for exponent in stride(from: -37.0, through: 37, by: 0.13) {
      let first = Float(pow(10, exponent))
      let x = lanes(from: first, step: 0.011 * first)
      let y = logarithm(x)
      for i in 0..<16 {
        let expected = log(Double(x[i]))
        let ulp = max(Double(Float(expected).ulp), 1e-8)  // near 1 the sum rounds as 1 does
        worst = max(worst, abs(Double(y[i]) - expected) / ulp)
      }
    }
    XCTAssertLessThan(worst, 2)
    XCTAssertEqual(logarithm(lanes(from: 1, step: 0))[3], 0)
  }

  private func lanes(from first: Float, step: Float) -> LineVector {
    var vector = LineVector()
    for i in 0..<16 { vector[i] = first + Float(i) * step }
    return vector
  }
}
