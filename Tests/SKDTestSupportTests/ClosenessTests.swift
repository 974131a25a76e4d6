import XCTest

@testable import SKDTestSupport

final class ClosenessTests: XCTestCase {
  func testRelativeErrorIsScaledByTheLargestExpectedValue() {
    XCTAssertEqual(relativeError([1, 9], [1, 10]), 0.1, accuracy: 1e-12)
    XCTAssertEqual(relativeError([0, 0.5], [0, 0]), 0.5)
    XCTAssertEqual(relativeError([], []), 0)
  }

  func testRelativeErrorOfNaNAndOfOtherCountsIsInfinite() {
    XCTAssertEqual(relativeError([.nan], [1]), .infinity)
    XCTAssertEqual(relativeError([1], [.nan]), .infinity)
    XCTAssertEqual(relativeError([1], [1, 2]), .infinity)
  }

  func testAssertionsPassWithinTheTolerance() {
    assertClose([1, 9.9], [1, 10], relative: 0.011)
    assertClose([1, 9.9], [1, 10], absolute: 0.11)
    assertClose([.infinity], [.infinity], absolute: 0)
  }

  func testFailureNamesValuesAndPlace() {
    XCTAssertEqual(
      closenessFailure([1, 9], [1, 10], relative: 0.01),
      "got 9.0 for 10.0 at index 1 of 2; relative error 0.1 exceeds 0.01")
    XCTAssertEqual(
      closenessFailure([1, 9], [1, 10], absolute: 0.5),
      "got 9.0 for 10.0 at index 1 of 2; absolute error 1.0 exceeds 0.5")
    XCTAssertNotNil(closenessFailure([.nan], [1], absolute: 100))
    XCTAssertNotNil(closenessFailure([1], [], relative: 1))
  }

  func testGradientOfCubesPassesAndAWrongOneFails() {
    let cubes: ([Float]) -> Double = { $0.reduce(0) { $0 + Double($1) * Double($1) * Double($1) } }
    let point = (0..<200).map { Float($0) / 100 - 1 }
    var gradient = point.map { 3 * $0 * $0 }
    assertGradient(gradient, of: cubes, at: point, step: 1e-2, tolerance: 1e-3)
    gradient[0] += 0.1
    XCTAssertNotNil(
      gradientFailure(
        gradient, of: cubes, at: point, step: 1e-2, tolerance: 1e-2, sampleLimit: 10))
    XCTAssertNotNil(
      gradientFailure([], of: cubes, at: point, step: 1e-2, tolerance: 1e-2, sampleLimit: 10))
  }
}
