import CSKD
import Foundation
import SKDABI
import SKDTestSupport
import XCTest

/// Ridge regression, support vector machines, prototypes and the softmax.
final class ClassifierABITests: XCTestCase {
  func testLinearClassifiersFitAndDecide() {
    var (coefficients, intercepts) = ([9.0, 9], [9.0, 9])
    assertOK(
      skd_ridge_classifier_fit([-1, 1], [0, 1], 2, 1, 2, 0.5, &coefficients, &intercepts))
    XCTAssertEqual(coefficients[1], 0.8, accuracy: 1e-15)
    XCTAssertEqual(coefficients[0], -coefficients[1])
    var (iterations, isConverged): (Int64, Int32) = (-1, -1)
    assertOK(
      skd_linear_svc_fit(
        [-1, 1], [0, 1], 2, 1, 2, 1, 1e-6, 10, &coefficients, &intercepts, &iterations,
        &isConverged))
    XCTAssertEqual(isConverged, 1)
    XCTAssertEqual(coefficients[1], 0.8, accuracy: 1e-15)
    XCTAssertEqual(intercepts, [0, 0])
    XCTAssertTrue((1...10).contains(iterations))
    var decision = 9.0
    assertOK(skd_linear_decision([2], 1, 1, 1, [0.5], [1], &decision))
    XCTAssertEqual(decision, 2)
  }

  func testBadLinearArgumentsAreNamedAndWriteNothing() {
    var (coefficients, intercepts) = ([9.0, 9], [9.0, 9])
    func ridge(
      _ features: [Float] = [-1, 1], labels: [Int64] = [0, 1], classes: Int64 = 2,
      alpha: Double = 1
    ) -> skd_status {
      skd_ridge_classifier_fit(
        features, labels, 2, 1, classes, alpha, &coefficients, &intercepts)
    }
    func svc(
      strength: Double = 1, tolerance: Double = 1e-6, iterations: Int64 = 10
    ) -> skd_status {
      skd_linear_svc_fit(
        [-1, 1], [0, 1], 2, 1, 2, strength, tolerance, iterations, &coefficients, &intercepts,
        nil, nil)
    }
    assertRefused(ridge([1, .nan]), "features of ridge_classifier_fit must be finite")
    assertRefused(ridge(labels: [0, 0]), "must hold each of the 2 classes; got none of class 1")
    assertRefused(ridge(labels: [0, 2]), "labels of ridge_classifier_fit must be in 0...1; got 2")
    assertRefused(ridge(classes: 1), "classes of ridge_classifier_fit must be in 2...")
    for bad in [0, -1, .nan, .infinity] as [Double] {
      assertRefused(ridge(alpha: bad), "alpha of ridge_classifier_fit must be > 0")
      assertRefused(svc(strength: bad), "inverse_regularization of linear_svc_fit")
      assertRefused(svc(tolerance: bad), "tolerance of linear_svc_fit")
    }
    assertRefused(svc(iterations: 0), "max_iterations of linear_svc_fit")
    assertRefused(
      skd_linear_svc_fit(nil, [0, 1], 2, 1, 2, 1, 1, 1, &coefficients, &intercepts, nil, nil),
      "features of linear_svc_fit must not be NULL")
    XCTAssertEqual(coefficients + intercepts, [9, 9, 9, 9])
  }

  func testPrototypesAreMeansAndTheNearestIsFound() {
    var centroids = [9.0, 9]
    assertOK(skd_class_centroids([0, 4, 3.5], [0, 0, 1], 3, 1, 2, &centroids))
    XCTAssertEqual(centroids, [2, 3.5])
    var proximities = [9.0, 9]
    let euclidean = Int32(SKD_METRIC_EUCLIDEAN)
    assertOK(skd_prototype_proximities([3], 1, 1, centroids, 2, euclidean, &proximities))
    XCTAssertEqual(proximities, [-1, -0.25])
    assertOK(
      skd_prototype_proximities([-3], 1, 1, centroids, 2, Int32(SKD_METRIC_COSINE), &proximities))
    XCTAssertEqual(proximities, [-1, -1])
    var nearest: [Int64] = [9, 9]
    assertOK(skd_nearest_prototypes([2.75, 9], 2, 1, centroids, 2, euclidean, &nearest))
    XCTAssertEqual(nearest, [0, 1])
    assertOK(skd_nearest_prototypes(nil, 0, 1, centroids, 2, euclidean, nil))
  }

  func testBadPrototypeArgumentsAreNamedAndWriteNothing() {
    var (centroids, nearest) = ([9.0, 9], [Int64(9)])
    assertRefused(
      skd_class_centroids([0, 1], [0, 0], 2, 1, 2, &centroids),
      "labels of class_centroids must hold each of the 2 classes; got none of class 1")
    assertRefused(
      skd_class_centroids([0, .nan], [0, 1], 2, 1, 2, &centroids),
      "features of class_centroids must be finite")
    assertRefused(
      skd_prototype_proximities([1], 1, 1, [1, 2], 2, 2, &centroids),
      "metric of prototype_proximities must be in 0...1; got 2")
    assertRefused(
      skd_nearest_prototypes([1], 1, 1, [1, 2], 0, 0, &nearest), "count of nearest_prototypes")
    assertRefused(
      skd_nearest_prototypes([.infinity], 1, 1, [1, 2], 2, 0, &nearest),
      "features of nearest_prototypes must be finite")
    assertRefused(
      skd_nearest_prototypes([1], 1, 1, nil, 2, 0, &nearest),
      "prototypes of nearest_prototypes must not be NULL")
    XCTAssertEqual(centroids, [9, 9])
    XCTAssertEqual(nearest, [9])
  }

  func testSoftmaxWritesProbabilitiesInPlaceToo() {
    var logits = [0, log(3.0), 7, 7]
    logits.withUnsafeMutableBufferPointer {
      assertOK(skd_softmax($0.baseAddress, 2, 2, 1, $0.baseAddress))
    }
    for (value, expected) in zip(logits, [0.25, 0.75, 0.5, 0.5]) {
      XCTAssertEqual(value, expected, accuracy: 1e-15)
    }
    var warm = [0.0, 0]
    assertOK(skd_softmax([0, 4 * log(3.0)], 1, 2, 4, &warm))
    XCTAssertEqual(warm[1], 0.75, accuracy: 1e-15)
    assertRefused(skd_softmax([1], 1, 0, 1, &logits), "classes of softmax")
    assertRefused(skd_softmax([1], 1, 1, 0, &logits), "temperature of softmax must be > 0")
    assertRefused(skd_softmax(nil, 1, 1, 1, &logits), "logits of softmax must not be NULL")
    assertOK(skd_softmax(nil, 0, 1, 1, nil))
  }
}
