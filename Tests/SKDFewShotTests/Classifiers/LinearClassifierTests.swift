import SKDFewShot
import SKDTestSupport
import XCTest

/// Ridge regression and support vector machines.
final class LinearClassifierTests: XCTestCase {
  /// Fewer and more samples than dimensions, as many, and with and without padding.
  private let extents = [
    (rows: 2, dimensions: 1, classes: 2), (3, 5, 3), (8, 8, 2), (9, 8, 4), (10, 9, 3), (40, 3, 5),
    (7, 17, 7), (120, 40, 3),
  ]

  private func problem(_ rows: Int, _ dimensions: Int, _ classes: Int) -> ([Float], [Int64]) {
    (
      fill("x", shape: [rows, dimensions], seed: rows << 32),
      (0..<rows).map { Int64($0 % classes) }
    )
  }

  /// 1e-11 of slack: sums of up to 120 products in Double, in another order.
  func testRidgeGradientVanishesForEveryExtent() throws {
    for (rows, dimensions, classes) in extents {
      let (features, labels) = problem(rows, dimensions, classes)
      for alpha in [0.01, 1, 100] {
        let ridge = try RidgeClassifier(rows: rows, dimensions: dimensions, classes: classes)
        ridge.fit(features, labels: labels, alpha: alpha)
        let gradient = LinearSolution(ridge).largestRidgeGradient(features, labels, alpha: alpha)
        XCTAssertLessThan(gradient, 1e-11, "\(rows) \(dimensions) \(classes) \(alpha)")
      }
    }
  }

  func testHingeGradientVanishesForEveryExtent() throws {
    for (rows, dimensions, classes) in extents {
      let (features, labels) = problem(rows, dimensions, classes)
      for inverseRegularization in [0.01, 1, 100] {
        let svc = try LinearSVC(rows: rows, dimensions: dimensions, classes: classes)
        let outcome = svc.fit(
          features, labels: labels, .init(inverseRegularization: inverseRegularization))
        let gradient = LinearSolution(svc).largestHingeGradient(
          features, labels, inverseRegularization: inverseRegularization)
        let what = "\(rows) \(dimensions) \(classes) \(inverseRegularization)"
        XCTAssertLessThan(gradient, 1e-10, what)
        XCTAssertTrue((1...30).contains(outcome.iterations), "\(what): \(outcome)")
        XCTAssertTrue(outcome.isConverged, what)
      }
    }
  }

  /// Samples at ±1: w minimises 2 (w - 1)² + alpha w², thus w = 2 / (2 + alpha).
  func testRidgeOfTwoOppositeSamplesIsKnown() throws {
    let ridge = try RidgeClassifier(rows: 2, dimensions: 1, classes: 2)
    ridge.fit([-1, 1], labels: [0, 1], alpha: 0.5)
    let solution = LinearSolution(ridge)
    XCTAssertEqual(solution.coefficients[1], 0.8, accuracy: 1e-15)
    XCTAssertEqual(solution.coefficients[0], -0.8, accuracy: 1e-15)
    XCTAssertEqual(solution.intercepts, [0, 0])
  }

  /// Samples at ±1: w minimises w² / 2 + 2 C (1 - w)², thus w = 4 C / (1 + 4 C).
  func testMachineOfTwoOppositeSamplesIsKnown() throws {
    let svc = try LinearSVC(rows: 2, dimensions: 1, classes: 2)
    _ = svc.fit([-1, 1], labels: [0, 1], .init(inverseRegularization: 1))
    let solution = LinearSolution(svc)
    XCTAssertEqual(solution.coefficients[1], 0.8, accuracy: 1e-15)
    XCTAssertEqual(solution.coefficients[0], -0.8, accuracy: 1e-15)
    XCTAssertEqual(solution.intercepts, [0, 0])
  }

  /// A single class: the machine finds t = 1 by its intercept alone, b = 2 C n / (1 + 2 C n).
  func testZeroFeaturesLeaveTheIntercept() throws {
    let svc = try LinearSVC(rows: 3, dimensions: 4, classes: 1)
    _ = svc.fit([Float](repeating: 0, count: 12), labels: [0, 0, 0])
    XCTAssertEqual(LinearSolution(svc).intercepts[0], 6.0 / 7, accuracy: 1e-14)
    let ridge = try RidgeClassifier(rows: 3, dimensions: 4, classes: 2)
    ridge.fit([Float](repeating: 0, count: 12), labels: [0, 0, 1], alpha: 1)
    XCTAssertEqual(LinearSolution(ridge).coefficients, [Double](repeating: 0, count: 8))
    XCTAssertEqual(LinearSolution(ridge).intercepts[0], 1.0 / 3, accuracy: 1e-15)
  }

  func testCopiesAndExtremeScalesStayFinite() throws {
    for scale in [1e-30, 1, 1e6, 1e37] as [Float] {
      let features = fill("x", shape: [4, 20], seed: 2 << 32).map { $0 * scale }
      let copies = features + features + features
      let labels = (0..<12).map { Int64($0 % 2) }
      for strength in [1e-12, 1, 1e12] {
        let ridge = try RidgeClassifier(rows: 12, dimensions: 20, classes: 2)
        ridge.fit(copies, labels: labels, alpha: strength)
        XCTAssertTrue(LinearSolution(ridge).coefficients.allSatisfy(\.isFinite))
        let svc = try LinearSVC(rows: 12, dimensions: 20, classes: 2)
        _ = svc.fit(copies, labels: labels, .init(inverseRegularization: strength))
        XCTAssertTrue(LinearSolution(svc).coefficients.allSatisfy(\.isFinite))
      }
    }
  }

  func testASecondFitDoesNotRememberTheFirst() throws {
    for rows in [6, 12] {
      let (first, labels) = problem(rows, 9, 3)
      let second = fill("other", shape: [rows, 9], seed: 0)
      let (reusedSVC, freshSVC) = (
        try LinearSVC(rows: rows, dimensions: 9, classes: 3),
        try LinearSVC(rows: rows, dimensions: 9, classes: 3)
      )
      _ = reusedSVC.fit(first, labels: labels)
      _ = reusedSVC.fit(second, labels: labels)
      _ = freshSVC.fit(second, labels: labels)
      XCTAssertEqual(
        LinearSolution(reusedSVC).coefficients, LinearSolution(freshSVC).coefficients)
      let (reused, fresh) = (
        try RidgeClassifier(rows: rows, dimensions: 9, classes: 3),
        try RidgeClassifier(rows: rows, dimensions: 9, classes: 3)
      )
      reused.fit(first, labels: labels, alpha: 1)
      reused.fit(second, labels: labels, alpha: 1)
      fresh.fit(second, labels: labels, alpha: 1)
      XCTAssertEqual(LinearSolution(reused).coefficients, LinearSolution(fresh).coefficients)
    }
  }

  func testIterationLimitIsKept() throws {
    let (features, labels) = problem(120, 40, 3)
    let svc = try LinearSVC(rows: 120, dimensions: 40, classes: 3)
    let options = FitOptions(inverseRegularization: 100, maximumIterations: 2)
    let outcome = svc.fit(features, labels: labels, options)
    XCTAssertEqual(outcome.iterations, 2)
    XCTAssertFalse(outcome.isConverged)
  }
}
