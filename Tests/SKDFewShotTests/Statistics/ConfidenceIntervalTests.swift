import SKDFewShot
import XCTest

final class ConfidenceIntervalTests: XCTestCase {
  /// Tables of the 97.5 % quantile (NIST handbook; more digits from closed forms).
  func testStudentQuantilesMatchTables() {
    let known: [(degrees: Int, t: Double, accuracy: Double)] = [
      (1, 12.706_204_736, 1e-8),  // tan(0.475 pi)
      (2, 4.302_652_730, 1e-8),  // 0.95 sqrt(2 / (1 - 0.95²))
      (3, 3.182, 5e-4), (4, 2.776, 5e-4), (5, 2.571, 5e-4), (10, 2.228_139, 1e-6),
      (30, 2.042, 5e-4), (100, 1.984, 5e-4), (599, 1.963_93, 5e-6), (100_000, 1.959_99, 5e-6),
    ]
    for (degrees, t, accuracy) in known {
      XCTAssertEqual(
        studentQuantile95(degreesOfFreedom: degrees), t, accuracy: accuracy, "\(degrees)")
    }
  }

  func testQuantilesFallTowardsTheNormalOne() {
    let quantiles = (1...300).map { studentQuantile95(degreesOfFreedom: $0) }
    XCTAssertTrue(zip(quantiles, quantiles.dropFirst()).allSatisfy { $0 > $1 && $1 > 1.959_963 })
  }

  /// Mean 2 and s = 1 for (1, 2, 3): the half-width is t(0.975, 2) / sqrt(3).
  func testIntervalOfThreeValues() {
    let interval = [1.0, 2, 3].withUnsafeBufferPointer { ConfidenceInterval(of: $0) }
    XCTAssertEqual(interval.mean, 2, accuracy: 1e-15)
    XCTAssertEqual(try XCTUnwrap(interval.halfWidth), 2.484_137_7, accuracy: 1e-6)
  }

  func testASingleValueHasNoInterval() {
    let interval = [4.5].withUnsafeBufferPointer { ConfidenceInterval(of: $0) }
    XCTAssertEqual(interval.mean, 4.5)
    XCTAssertNil(interval.halfWidth)
  }

  func testEqualValuesAreTheirMeanAndHaveNoWidth() {
    for value in [100, 0, -7, 0.1, 1.0 / 3, 280.0 / 3, 1e308, 5e-324, -1e308] {
      for count in [2, 3, 7, 49, 600, 10_007] {
        let values = [Double](repeating: value, count: count)
        let interval = values.withUnsafeBufferPointer { ConfidenceInterval(of: $0) }
        XCTAssertEqual(interval.mean, value, "\(count) of \(value)")
        XCTAssertEqual(interval.halfWidth, 0, "\(count) of \(value)")
      }
    }
  }

  func testTheMeanDoesNotDependOnTheOrder() {
    let accuracies = (0..<600).map { 100 * Double($0 % 76) / 75 }
    let expected = mean(of: accuracies)
    for stride in [7, 11, 77, 599] {
      XCTAssertEqual(mean(of: (0..<600).map { accuracies[$0 * stride % 600] }), expected)
    }
    XCTAssertEqual(mean(of: (0..<600).map { $0 % 2 == 0 ? 60 : 100 }), 80)
    XCTAssertEqual(mean(of: [1e16, 1, -1e16]), 1.0 / 3)  // an ordinary sum is 0
  }

  func testAnIntervalOfHugeValuesDoesNotOverflow() throws {
    let small = [1.0, 2, 3].withUnsafeBufferPointer { ConfidenceInterval(of: $0) }
    let huge = [0x1p1020, 0x2p1020, 0x3p1020].withUnsafeBufferPointer {
      ConfidenceInterval(of: $0)
    }
    XCTAssertEqual(huge.mean, 0x1p1020 * small.mean)
    XCTAssertEqual(huge.halfWidth, try 0x1p1020 * XCTUnwrap(small.halfWidth))
  }
}
