import Foundation
import SKDFewShot
import XCTest

final class DetectionQualityTests: XCTestCase {
  /// Both numbers from their definitions, pair by pair and threshold by threshold.
  private func naive(known: [Double], unknown: [Double]) -> DetectionQuality {
    var wins = 0.0
    for k in known { for u in unknown { wins += k > u ? 1 : (k == u ? 0.5 : 0) } }
    func share(_ scores: [Double], from threshold: Double) -> Double {
      Double(scores.count { $0 >= threshold }) / Double(scores.count)
    }
    let threshold = known.filter { share(known, from: $0) >= 0.95 }.max()!
    return DetectionQuality(
      auroc: wins / Double(known.count * unknown.count),
      fpr95: share(unknown, from: threshold))
  }

  func testQualityMatchesTheDefinitionsWithTies() {
    var state: UInt64 = 1
    for values in [1, 2, 5, 1_000] {  // the fewer values, the more ties
      for (knownCount, unknownCount) in [(1, 1), (1, 9), (20, 1), (19, 21), (75, 75), (101, 40)] {
        let draw = {
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Double(Int(state >> 33) % values)
        }
        let known = (0..<knownCount).map { _ in draw() + Double(values) / 4 }
        let unknown = (0..<unknownCount).map { _ in draw() }
        let actual = DetectionQuality(known: known, unknown: unknown)
        let expected = naive(known: known, unknown: unknown)
        XCTAssertEqual(actual.auroc, expected.auroc, accuracy: 1e-14)
        XCTAssertEqual(actual.fpr95, expected.fpr95)
      }
    }
  }

  func testValuesByHand() {
    let apart = DetectionQuality(known: [3, 4], unknown: [1, 2])
    XCTAssertEqual([apart.auroc, apart.fpr95], [1, 0])
    let reversed = DetectionQuality(known: [1, 2], unknown: [3, 4])
    XCTAssertEqual([reversed.auroc, reversed.fpr95], [0, 1])
    let equal = DetectionQuality(known: [5, 5, 5], unknown: [5, 5])
    XCTAssertEqual([equal.auroc, equal.fpr95], [0.5, 1])
    // 19 of 20 known scores are 95 %: the threshold is 2, which one of two unknown scores reaches.
    let known = [0.0] + [Double](repeating: 2, count: 19)
    XCTAssertEqual(DetectionQuality(known: known, unknown: [1, 2]).fpr95, 0.5)
  }

  /// Class means (0, 1) and (2, 0) for a query (0, 2): cosines 1 and 0, squared distances 1 and 8.
  func testScoresByHand() throws {
    let support: [Float] = [0, 1, 1, 0, 3, 0]
    let labels: [Int64] = [0, 1, 1]
    for (score, expected) in [
      (OpenSetScore.centroidCosine, 1), (.maximumProbability, 1 / (1 + exp(-7.0))),
    ] {
      let scorer = try OpenSetScorer(score, classes: 2, dimensions: 2)
      scorer.fit(support, labels: labels, rows: 3)
      XCTAssertEqual(scorer.score(of: [0, 2]), expected, accuracy: 1e-15)
      scorer.setCentroids([0, 1, 2, 0])
      XCTAssertEqual(scorer.score(of: [0, 2]), expected, accuracy: 1e-15)
    }
  }
}
