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
    XCTAssertEqual(interval.halfWidth, 2.484_137_7, accuracy: 1e-6)
  }

  func testASingleValueHasNoWidth() {
    let interval = [4.5].withUnsafeBufferPointer { ConfidenceInterval(of: $0) }
    XCTAssertEqual(interval, [4.5].withUnsafeBufferPointer { ConfidenceInterval(of: $0) })
    XCTAssertEqual(interval.mean, 4.5)
    XCTAssertEqual(interval.halfWidth, 0)
  }
}
