import CSKD
import SKDABI
import SKDTestSupport
import XCTest

final class CalibrationABITests: XCTestCase {
  private let features: [Float] = [0, 1, 4, 5]
  private let labels: [Int64] = [0, 0, 1, 1]

  /// Calls `body` with a support set of one row for each example.
  private func withSupport(
    features: [Float]? = nil, labels: [Int64]? = nil, examples: [Int64] = [0, 1, 2, 3],
    count: Int64 = 4, _ body: (UnsafePointer<skd_support_examples>) -> Void
  ) {
    (features ?? self.features).withUnsafeBufferPointer { features in
      (labels ?? self.labels).withUnsafeBufferPointer { labels in
        examples.withUnsafeBufferPointer { examples in
          var support = skd_support_examples(
            features: features.baseAddress, labels: labels.baseAddress,
            examples: examples.baseAddress, rows: 4, dimensions: 1, classes: 2,
            plain: features.baseAddress, count: count)
          withUnsafePointer(to: &support, body)
        }
      }
    }
  }

  private var centroid: skd_classifier_options {
    var options = skd_classifier_options()
    options.kind = Int32(SKD_CLASSIFIER_NEAREST_CENTROID)
    options.inverse_regularization = 1
    return options
  }

  func testTheTemperatureOfOneExampleOfEachClassIsTheMarginOverThePrior() {
    var temperature = 9.0
    withSupport(labels: [0, 1, 0, 1], examples: [0, 1, 0, 1], count: 2) { support in
      withUnsafePointer(to: centroid) {
        assertOK(skd_calibrate_temperature($0, support, 4, 1, &temperature))
      }
    }
    // The means are 2 and 3; the examples at 0 and 1 have the margins -4 + 9 and -4 + 1.
    XCTAssertEqual(temperature, 1 / 4)
  }

  func testBadArgumentsAreNamed() {
    var (temperature, threshold) = (9.0, 9.0)
    var simpleShot = centroid
    simpleShot.kind = Int32(SKD_CLASSIFIER_SIMPLE_SHOT)
    withSupport { support in
      assertRefused(
        skd_calibrate_temperature(&simpleShot, support, 1, 1, &temperature),
        "classifier.kind of calibrate_temperature must be an inductive classifier")
      var good = centroid
      for (prior, strength) in [(0, 1), (1, -1), (.nan, 1), (1, .infinity)] as [(Double, Double)] {
        assertRefused(
          skd_calibrate_temperature(&good, support, prior, strength, &temperature),
          "of calibrate_temperature")
      }
      assertRefused(
        skd_rejection_threshold(support, 1, &threshold),
        "known_rate of rejection_threshold must be in (0, 1)")
    }
    withSupport(features: [0, .nan, 0, 0]) {
      assertRefused(skd_rejection_threshold($0, 0.5, &threshold), "support.features")
    }
    withSupport(labels: [0, 0, 0, 0]) {
      assertRefused(skd_rejection_threshold($0, 0.5, &threshold), "hold each of the 2 classes")
    }
    withSupport(examples: [0, 0, 0, 1], count: 2) {
      assertRefused(skd_rejection_threshold($0, 0.5, &threshold), "have rows of one label")
    }
    withSupport(examples: [0, 0, 2, 2], count: 3) {
      assertRefused(skd_rejection_threshold($0, 0.5, &threshold), "have a row each; got none of 1")
    }
    withSupport(count: 5) {
      assertRefused(skd_rejection_threshold($0, 0.5, &threshold), "at most the number of rows")
    }
    XCTAssertEqual([temperature, threshold], [9, 9])
  }

  func testBins() {
    var (counts, confidences, accuracies, error) = ([Int64(9)], [9.0], [9.0], 9.0)
    assertOK(skd_calibration_bins([0.5], [1], 1, 1, &counts, &confidences, &accuracies, &error))
    XCTAssertEqual(counts, [1])
    XCTAssertEqual([confidences[0], accuracies[0], error], [0.5, 1, 0.5])
    for bad in [-0.1, 1.1, .nan] {
      assertRefused(
        skd_calibration_bins([bad], [1], 1, 1, &counts, &confidences, &accuracies, &error),
        "confidences of calibration_bins must be in 0...1")
    }
  }
}
