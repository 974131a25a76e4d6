import Foundation
import XCTest

@testable import SKDFewShot

final class TemperatureScalingTests: XCTestCase {
  func testWithoutExamplesThePriorIsTheResult() {
    XCTAssertEqual(TemperatureScaling(prior: 0.25, strength: 2).sharpness(of: [], labels: []), 0.25)
  }

  /// With two classes of scores 0 and s, where a share q is right, the minimum is log(q / (1 - q)) / s.
  func testOfEqualMarginsTheSharpnessMatchesTheShareOfCorrectOnes() {
    for (margin, correct) in [(2.0, 3), (0.01, 3), (50, 2)] as [(Double, Int)] {
      let share = Double(correct) / 4
      let found = TemperatureScaling(prior: 1 / margin, strength: 0).sharpness(
        of: (0..<4).map { _ in [0, margin] }, labels: (0..<4).map { $0 < correct ? 1 : 0 })
      if share > 0.5 {
        let expected = log(share / (1 - share)) / margin
        XCTAssertEqual(found, expected, accuracy: 1e-7 * expected)
      } else {
        XCTAssertLessThan(found, 0.01 / margin)  // the flatter, the better
      }
    }
  }

  func testThePriorPullsTheSharpness() {
    let found = [0, 0.1, 10, 1e6].map { strength in
      TemperatureScaling(prior: 10, strength: strength).sharpness(
        of: [[0, 1], [0, 1], [0, 1]], labels: [1, 1, 0])
    }
    XCTAssertEqual(found, found.sorted())
    XCTAssertEqual(found[0], log(2), accuracy: 1e-7)
    XCTAssertEqual(found[3], 10, accuracy: 1e-4)
  }

  func testScoresThatAreAlwaysRightOrHugeGiveAFiniteSharpness() {
    let largest = Double.greatestFiniteMagnitude
    for scores in [[[0, 1e3], [1e3, 0]], [[largest, -largest], [0, largest]]] {
      let found = TemperatureScaling(prior: 1, strength: 1).sharpness(of: scores, labels: [1, 0])
      XCTAssertTrue(found.isFinite && found > 0)
    }
  }

  func testBinsHoldMeansAndTheirWeightedDifferenceIsTheError() {
    let bins = CalibrationBins(
      [0.1, 0.2, 0.9, 1, 0.5], isCorrect: [0, 1, 1, 1, 0], count: 5, bins: 2)
    XCTAssertEqual(bins.counts, [2, 3])
    XCTAssertEqual(bins.confidences[0], 0.15, accuracy: 1e-15)
    XCTAssertEqual(bins.confidences[1], 0.8, accuracy: 1e-15)
    XCTAssertEqual(bins.accuracies, [0.5, 2 / 3.0])
    XCTAssertEqual(bins.error, (0.7 + 0.4) / 5, accuracy: 1e-15)
    let empty = CalibrationBins([1], isCorrect: [1], count: 1, bins: 3)
    XCTAssertEqual(empty.confidences, [0, 0, 1])
    XCTAssertEqual(empty.error, 0)
  }
}
