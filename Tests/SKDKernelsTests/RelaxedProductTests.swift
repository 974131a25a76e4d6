import XCTest

@testable import SKDKernels

final class RelaxedProductTests: XCTestCase {
  func testRelaxedProductIsRoundedOnceOrTwice() {
    let (a, b, c) = (Float(1) + Float.ulpOfOne, Float(1) - Float.ulpOfOne, Float(-1))
    let once = c.addingProduct(a, b)  // -ulp^2: what rounding the product first would lose
    let twice = c + a * b
    XCTAssertNotEqual(once, twice)
    let sum = SIMD16<Float>(repeating: c)
      .addingRelaxedProduct(SIMD16(repeating: a), SIMD16(repeating: b))
    XCTAssertTrue(sum == SIMD16(repeating: once) || sum == SIMD16(repeating: twice), "\(sum)")
  }

  func testAddRelaxedProductIsExactWhereNothingIsRounded() {
    var sum = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7)
    sum.addRelaxedProduct(SIMD8(repeating: 3), SIMD8(7, 6, 5, 4, 3, 2, 1, 0))
    XCTAssertEqual(sum, SIMD8(21, 19, 17, 15, 13, 11, 9, 7))
  }
}
