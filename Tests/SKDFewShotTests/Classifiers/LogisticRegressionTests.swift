import Foundation
import SKDFewShot
import SKDTestSupport
import XCTest

final class LogisticRegressionTests: XCTestCase {
  /// Fewer and more samples than dimensions, with and without padding, weak and strong penalty.
  func testGradientVanishesForEveryExtent() throws {
    let extents = [
      (rows: 2, dimensions: 1, classes: 2), (3, 5, 3), (8, 8, 2), (9, 8, 4), (40, 3, 5), (7, 17, 7),
      (200, 250, 2),
    ]
    for (rows, dimensions, classes) in extents {
      let features = fill("x", shape: [rows, dimensions], seed: rows << 32)
      let labels = (0..<rows).map { Int64($0 % classes) }
      for inverseRegularization in [0.01, 1, 100] {
        for tolerance in [1e-3, 1e-9] {
          let regression = try LogisticRegression(
            rows: rows, dimensions: dimensions, classes: classes)
          let options = FitOptions(
            inverseRegularization: inverseRegularization, tolerance: tolerance)
          let outcome = regression.fit(features, labels: labels, options)
          let fit = LogisticSolution(regression).objective(features, labels, inverseRegularization)
          let what = "\(rows) \(dimensions) \(classes) \(inverseRegularization)"
          // The naive reference rounds differently: 1e-12 of slack.
          XCTAssertLessThan(fit.largestGradient, tolerance + 1e-12, what)
          XCTAssertLessThan(outcome.iterations, 300, what)
          XCTAssertTrue(outcome.isConverged, what)
        }
      }
    }
  }

  /// Two samples at ±1 of two classes: W = (-w, w), b = 0, and the gradient with respect to w
  /// vanishes where 1 - tanh(w) = w / C.
  func testTwoOppositeSamplesHaveAKnownSolution() throws {
    let regression = try LogisticRegression(rows: 2, dimensions: 1, classes: 2)
    _ = regression.fit([-1, 1], labels: [0, 1], .init(tolerance: 1e-12))
    let solution = LogisticSolution(regression)
    let w = solution.coefficients[1]
    XCTAssertEqual(solution.coefficients[0], -w, accuracy: 1e-12)
    XCTAssertEqual(1 - tanh(w), w, accuracy: 1e-10)
    XCTAssertEqual(solution.intercepts, [0, 0])
  }

  func testIdenticalCopiesOfTheSamplesAreHarmless() throws {
    let features = fill("x", shape: [4, 20], seed: 1 << 32)
    let copies = features + features + features
    let labels: [Int64] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
    let regression = try LogisticRegression(rows: 12, dimensions: 20, classes: 2)
    _ = regression.fit(copies, labels: labels, .init(tolerance: 1e-10))
    let fit = LogisticSolution(regression).objective(copies, labels, 1)
    XCTAssertLessThan(fit.largestGradient, 1.1e-10)
  }

  func testWithoutFeaturesTheInterceptsAreTheClassFrequencies() throws {
    let regression = try LogisticRegression(rows: 4, dimensions: 2, classes: 2)
    _ = regression.fit(
      [Float](repeating: 0, count: 8), labels: [0, 0, 0, 1], .init(tolerance: 1e-12))
    let solution = LogisticSolution(regression)
    XCTAssertEqual(solution.intercepts[0] - solution.intercepts[1], log(3), accuracy: 1e-10)
    XCTAssertEqual(solution.coefficients, [0, 0, 0, 0])
  }

  func testFeaturesOfAnyScaleConvergeOrStayFinite() throws {
    for scale in [1e-30, 1e-3, 1e3, 1e6, 1e37] as [Float] {
      let features = fill("x", shape: [6, 10], seed: 2 << 32).map { $0 * scale }
      let labels: [Int64] = [0, 1, 2, 0, 1, 2]
      let regression = try LogisticRegression(rows: 6, dimensions: 10, classes: 3)
      _ = regression.fit(features, labels: labels, .init(tolerance: 1e-5))
      let solution = LogisticSolution(regression)
      XCTAssertTrue(solution.coefficients.allSatisfy(\.isFinite), "\(scale)")
      if scale > 1e6 { continue }  // rounding alone exceeds the tolerance
      XCTAssertLessThan(
        solution.objective(features, labels, 1).largestGradient, 1.001e-5, "\(scale)")
    }
  }

  func testASecondFitDoesNotRememberTheFirst() throws {
    let (first, second) = (fill("a", shape: [6, 9], seed: 0), fill("b", shape: [6, 9], seed: 0))
    let labels: [Int64] = [0, 1, 2, 0, 1, 2]
    let reused = try LogisticRegression(rows: 6, dimensions: 9, classes: 3)
    _ = reused.fit(first, labels: labels)
    _ = reused.fit(second, labels: labels)
    let fresh = try LogisticRegression(rows: 6, dimensions: 9, classes: 3)
    _ = fresh.fit(second, labels: labels)
    XCTAssertEqual(
      LogisticSolution(reused).coefficients, LogisticSolution(fresh).coefficients)
  }

  func testIterationLimitIsKept() throws {
    for rows in [6, 60] {
      let features = fill("x", shape: [rows, 9], seed: 0)
      let regression = try LogisticRegression(rows: rows, dimensions: 9, classes: 2)
      let options = FitOptions(tolerance: 1e-12, maximumIterations: 2)
      let outcome = regression.fit(features, labels: (0..<rows).map { Int64($0 % 2) }, options)
      XCTAssertEqual(outcome.iterations, 2)
      XCTAssertFalse(outcome.isConverged)
    }
  }
}
