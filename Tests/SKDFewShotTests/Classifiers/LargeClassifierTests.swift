import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDFewShot

/// Classifiers of many classes or large sets: they find the minima of the small ones.
final class LargeClassifierTests: XCTestCase {
  /// More and fewer samples than dimensions, with and without padding, and two classes.
  private let extents = [
    (rows: 150, dimensions: 200, classes: 4), (1100, 40, 2), (129, 129, 4), (260, 7, 9),
    (300, 8, 300), (130, 132, 40),
  ]

  private func problem(_ rows: Int, _ dimensions: Int, _ classes: Int) -> (
    features: [Float], labels: [Int64]
  ) {
    (
      fill("x", shape: [rows, dimensions], seed: rows << 32),
      (0..<rows).map { Int64($0 % classes) }
    )
  }

  // MARK: The minimum

  func testTheExtentsAreLarge() {
    for (rows, dimensions, classes) in extents {
      XCTAssertTrue(isLargeFit(rows: rows, dimensions: dimensions, classes: classes))
      XCTAssertTrue(
        LogisticRegression.isLarge(rows: rows, dimensions: dimensions, classes: classes))
    }
  }

  func testLogisticGradientVanishesForEveryExtent() throws {
    for (rows, dimensions, classes) in extents {
      let (features, labels) = problem(rows, dimensions, classes)
      for inverseRegularization in [0.01, 1, 100] {
        for tolerance in [1e-3, 1e-9] {
          let regression = try LogisticRegression(
            rows: rows, dimensions: dimensions, classes: classes)
          let options = FitOptions(
            inverseRegularization: inverseRegularization, tolerance: tolerance)
          let outcome = regression.fit(features, labels: labels, options)
          let what = "\(rows) \(dimensions) \(classes) \(inverseRegularization) \(tolerance)"
          XCTAssertTrue(outcome.isConverged, what)
          XCTAssertLessThan(outcome.iterations, 30, what)
          let fit = LogisticSolution(regression).objective(features, labels, inverseRegularization)
          // The naive reference rounds differently.
          XCTAssertLessThan(fit.largestGradient, tolerance + 1e-11, what)
        }
      }
    }
  }

  func testRidgeAndHingeGradientsVanishForEveryExtent() throws {
    for (rows, dimensions, classes) in extents {
      let (features, labels) = problem(rows, dimensions, classes)
      let ridge = try RidgeClassifier(rows: rows, dimensions: dimensions, classes: classes)
      let svc = try LinearSVC(rows: rows, dimensions: dimensions, classes: classes)
      for strength in classes > 4 ? [1] : [0.01, 100] {
        let what = "\(rows) \(dimensions) \(classes) \(strength)"
        ridge.fit(features, labels: labels, alpha: strength)
        XCTAssertLessThan(
          LinearSolution(ridge).largestRidgeGradient(features, labels, alpha: strength), 1e-9, what)
        let outcome = svc.fit(
          features, labels: labels, .init(inverseRegularization: strength))
        XCTAssertLessThan(
          LinearSolution(svc).largestHingeGradient(
            features, labels, inverseRegularization: strength), 1e-9, what)
        XCTAssertTrue((1...30).contains(outcome.iterations), "\(what): \(outcome)")
        XCTAssertTrue(outcome.isConverged, what)
      }
    }
  }

  /// So many samples that their products with each other are not kept, most of them beyond the margin.
  func testAFewActiveSamplesOfManyAreEnough() throws {
    let rows = 2100
    var features = fill("x", shape: [rows, 6], seed: 0)
    let labels = (0..<rows).map { Int64($0 % 2) }
    for n in 0..<rows { features[6 * n] = (n % 2 == 0 ? -3 : 3) - Float(n % 50) / 10 }
    let svc = try LinearSVC(rows: rows, dimensions: 6, classes: 2)
    let outcome = svc.fit(features, labels: labels, .init(inverseRegularization: 100))
    XCTAssertTrue(outcome.isConverged)
    XCTAssertLessThan(
      LinearSolution(svc).largestHingeGradient(features, labels, inverseRegularization: 100), 1e-8)
  }

  /// The small solvers on the same problems, which both could solve.
  func testLargeSolversFindTheMinimaOfSmallOnes() throws {
    for (rows, dimensions, classes) in [(40, 30, 3), (30, 40, 3), (25, 24, 2), (9, 300, 9)] {
      let (features, labels) = problem(rows, dimensions, classes)
      let what = "\(rows) \(dimensions) \(classes)"
      let length = (dimensions + 7) / 8 * 8
      let options = FitOptions(tolerance: 1e-10)
      var fits: [[Double]] = []
      func append(
        _ fit: (_ coefficients: UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
      ) throws {
        let buffer = try AlignedBuffer<Double>(count: classes * length + (classes + 7) / 8 * 8)
        fit(buffer.pointer, buffer.pointer + classes * length)
        var values = (0..<classes * length).map { buffer.pointer[$0] }
        let intercepts = (0..<classes).map { buffer.pointer[classes * length + $0] }
        // Those of a logistic regression are known but for a constant.
        values += intercepts.map { $0 - intercepts[0] }
        fits.append(values)
      }
      let small = try SmallLogistic(rows: rows, dimensions: dimensions, classes: classes)
      try append {
        _ = small.fit(features, labels: labels, options, coefficients: $0, intercepts: $1)
      }
      let large = try LargeLogistic(rows: rows, dimensions: dimensions, classes: classes)
      try append {
        _ = large.fit(features, labels: labels, options, coefficients: $0, intercepts: $1)
      }
      let smallRidge = try SmallRidge(rows: rows, dimensions: dimensions, classes: classes)
      try append {
        smallRidge.fit(features, labels: labels, alpha: 0.1, coefficients: $0, intercepts: $1)
      }
      let largeRidge = try LargeRidge(rows: rows, dimensions: dimensions, classes: classes)
      try append {
        largeRidge.fit(features, labels: labels, alpha: 0.1, coefficients: $0, intercepts: $1)
      }
      let smallSVC = try SmallSVC(rows: rows, dimensions: dimensions)
      let largeSVC = try LargeHinge(
        rows: rows, dimensions: dimensions, classes: classes, workers: 2)
      try append { coefficients, intercepts in
        _ = smallSVC.fit(features, labels: labels, classes: 0..<classes, options) { k, found in
          (coefficients + k * length).update(from: found, count: dimensions)
          intercepts[k] = found[dimensions]
        }
      }
      try append { coefficients, intercepts in
        _ = largeSVC.fit(features, labels: labels, classes: 0..<classes, options) { k, found in
          (coefficients + k * length).update(from: found, count: dimensions)
          intercepts[k] = found[dimensions]
        }
      }
      for pair in [0, 2, 4] {
        for (small, large) in zip(fits[pair], fits[pair + 1]) {
          XCTAssertEqual(small, large, accuracy: 1e-8, "\(what), pair \(pair)")
        }
      }
    }
  }

  // MARK: What must not matter

  private struct Fitted: Equatable {
    var bits: [UInt64] = []

    mutating func append(_ values: [Double]) { bits += values.map(\.bitPattern) }
  }

  /// All three classifiers, fitted to a set of samples after `earlier`, if there is one.
  private func fitted(
    _ rows: Int, _ dimensions: Int, _ classes: Int, after earlier: [Float]? = nil
  ) throws -> Fitted {
    let (features, labels) = problem(rows, dimensions, classes)
    let logistic = try LogisticRegression(rows: rows, dimensions: dimensions, classes: classes)
    let ridge = try RidgeClassifier(rows: rows, dimensions: dimensions, classes: classes)
    let svc = try LinearSVC(rows: rows, dimensions: dimensions, classes: classes)
    if let earlier {
      _ = logistic.fit(earlier, labels: labels)
      ridge.fit(earlier, labels: labels, alpha: 1)
      _ = svc.fit(earlier, labels: labels)
    }
    _ = logistic.fit(features, labels: labels)
    ridge.fit(features, labels: labels, alpha: 1)
    _ = svc.fit(features, labels: labels)
    var fitted = Fitted()
    fitted.append(LogisticSolution(logistic).coefficients)
    fitted.append(LinearSolution(ridge).coefficients)
    fitted.append(LinearSolution(svc).coefficients)
    return fitted
  }

  func testFitsHaveTheSameBitsForAnyNumberOfThreads() throws {
    let original = WorkerPool.shared.threadCount
    defer { WorkerPool.shared.threadCount = original }
    for (rows, dimensions, classes) in [(150, 200, 20), (260, 140, 9), (1100, 40, 2)] {
      let results = try [1, 2, 3].map { threads in
        WorkerPool.shared.threadCount = threads
        return try fitted(rows, dimensions, classes)
      }
      XCTAssertTrue(results[0] == results[1], "\(rows), 1 and 2 threads")
      XCTAssertTrue(results[0] == results[2], "\(rows), 1 and 3 threads")
    }
  }

  func testASecondFitDoesNotRememberTheFirst() throws {
    for (rows, dimensions, classes) in [(150, 200, 4), (260, 40, 9)] {
      let fresh = try fitted(rows, dimensions, classes)
      for scale in [1, 1e37] as [Float] {
        let earlier = fill("other", shape: [rows, dimensions], seed: 0).map { scale * $0 }
        let reused = try fitted(rows, dimensions, classes, after: earlier)
        XCTAssertTrue(fresh == reused, "\(rows) \(scale)")
      }
    }
  }

  // MARK: Hostile samples

  func testCopiesAndExtremeScalesStayFinite() throws {
    for scale in [0, 1e-30, 1e6, 1e37] as [Float] {
      for (rows, dimensions, classes) in [(150, 160, 4), (260, 9, 9)] {
        let half = fill("x", shape: [rows / 2, dimensions], seed: 2 << 32).map { $0 * scale }
        let labels = (0..<rows).map { Int64($0 % (rows / 2) % classes) }
        for strength in [1e-12, 1, 1e12] {
          let what = "\(scale) \(rows) \(strength)"
          let options = FitOptions(inverseRegularization: strength, maximumIterations: 50)
          let logistic = try LogisticRegression(
            rows: rows, dimensions: dimensions, classes: classes)
          _ = logistic.fit(half + half, labels: labels, options)
          XCTAssertTrue(LogisticSolution(logistic).coefficients.allSatisfy(\.isFinite), what)
          let ridge = try RidgeClassifier(rows: rows, dimensions: dimensions, classes: classes)
          ridge.fit(half + half, labels: labels, alpha: strength)
          XCTAssertTrue(LinearSolution(ridge).coefficients.allSatisfy(\.isFinite), what)
          let svc = try LinearSVC(rows: rows, dimensions: dimensions, classes: classes)
          _ = svc.fit(half + half, labels: labels, options)
          XCTAssertTrue(LinearSolution(svc).coefficients.allSatisfy(\.isFinite), what)
        }
      }
    }
  }

  /// A penalty that hides the products of the samples from the preconditioner.
  func testVeryStrongPenaltiesConverge() throws {
    let (features, labels) = problem(150, 200, 4)
    for inverseRegularization in [1e-6, 1e-12, 1e-20] {
      let regression = try LogisticRegression(rows: 150, dimensions: 200, classes: 4)
      let options = FitOptions(inverseRegularization: inverseRegularization, tolerance: 1e-8)
      let outcome = regression.fit(features, labels: labels, options)
      XCTAssertTrue(outcome.isConverged, "\(inverseRegularization) \(outcome)")
      XCTAssertGreaterThan(
        LogisticSolution(regression).coefficients.map(\.magnitude).max() ?? 0, 0)
    }
  }

  func testIterationLimitIsKept() throws {
    for (rows, dimensions) in [(150, 200), (520, 140)] {
      let (features, labels) = problem(rows, dimensions, 4)
      let options = FitOptions(
        inverseRegularization: 1e4, tolerance: 1e-12, maximumIterations: 2)
      let logistic = try LogisticRegression(rows: rows, dimensions: dimensions, classes: 4)
      let svc = try LinearSVC(rows: rows, dimensions: dimensions, classes: 4)
      for outcome in [
        logistic.fit(features, labels: labels, options), svc.fit(features, labels: labels, options),
      ] {
        XCTAssertEqual(outcome.iterations, 2)
        XCTAssertFalse(outcome.isConverged)
      }
    }
  }
}
