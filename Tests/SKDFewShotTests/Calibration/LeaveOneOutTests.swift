import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDFewShot

final class LeaveOneOutTests: XCTestCase {
  private let kinds: [FewShotClassifier.Kind] = [
    .logistic(inverseRegularization: 1), .nearestCentroid(.euclidean), .nearestCentroid(.cosine),
    .nearestNeighbor(.euclidean), .ridge(alpha: 1), .linearSVC(inverseRegularization: 1),
  ]

  /// Three classes of three, two and one example; each example has two rows, which are apart.
  private let labels: [Int64] = [0, 0, 1, 2, 1, 0]
  private let dimensions = 5

  private func withSupport<Result>(_ body: (LeaveOneOut) throws -> Result) rethrows -> Result {
    try with(
      values("rows", 12 * dimensions), labels + labels, (0..<12).map { Int64($0 % 6) },
      values("plain", 6 * dimensions), dimensions: dimensions, body)
  }

  /// Calls `body` with a support set of three classes in memory that lives as long.
  private func with<Result>(
    _ features: [Float], _ labels: [Int64], _ examples: [Int64], _ plain: [Float],
    dimensions: Int, _ body: (LeaveOneOut) throws -> Result
  ) rethrows -> Result {
    try features.withUnsafeBufferPointer { features in
      try labels.withUnsafeBufferPointer { labels in
        try examples.withUnsafeBufferPointer { examples in
          try plain.withUnsafeBufferPointer { plain in
            try body(
              LeaveOneOut(
                features: features.baseAddress!, labels: labels.baseAddress!,
                examples: examples.baseAddress!, rows: labels.count, dimensions: dimensions,
                classes: 3, plain: plain.baseAddress!, count: plain.count / dimensions))
          }
        }
      }
    }
  }

  func testEachExampleIsScoredByAFitWithoutItsRound() throws {
    let rounds = [[0, 2], [1, 4], [5]]  // the first, second and third example of each class
    let (features, plain) = (values("rows", 12 * dimensions), values("plain", 6 * dimensions))
    for kind in kinds {
      let found = try withSupport { try $0.heldOut(with: kind) }
      XCTAssertEqual(found.map(\.example), rounds.flatMap(\.self))
      for left in rounds {
        let kept = (0..<12).filter { !left.contains($0 % 6) }
        let classifier = try FewShotClassifier(
          kind, rows: kept.count, dimensions: dimensions, classes: 3)
        classifier.fit(
          kept.flatMap { features[$0 * dimensions..<($0 + 1) * dimensions] },
          labels: kept.map { labels[$0 % 6] })
        func scores(_ example: Int) -> [Double] {
          var scores = [Double](repeating: 0, count: 3)
          classifier.scores(
            of: Array(plain[example * dimensions..<(example + 1) * dimensions]), into: &scores)
          return scores
        }
        let margins = Set(kept.map { $0 % 6 }).map { example in
          let (all, label) = (scores(example), Int(labels[example]))
          return all[label] - (all.reduce(0, +) - all[label]) / 2
        }
        for held in found where left.contains(held.example) {
          XCTAssertEqual(held.scores, scores(held.example))
          XCTAssertEqual(held.label, Int(labels[held.example]))
          XCTAssertEqual(
            held.margin, margins.reduce(0, +) / Double(margins.count), accuracy: 1e-12)
        }
      }
    }
  }

  func testScoresHaveTheirMaximumAtThePrediction() throws {
    for kind in kinds {
      let classifier = try FewShotClassifier(kind, rows: 6, dimensions: dimensions, classes: 3)
      classifier.fit(values("rows", 6 * dimensions), labels: labels)
      for n in 0..<20 {
        let row = values("query \(n)", dimensions)
        var scores = [Double](repeating: 0, count: 3)
        classifier.scores(of: row, into: &scores)
        let winner = scores.firstIndex(of: scores.reduce(-.infinity, max))
        XCTAssertEqual(winner, classifier.predict(row))
      }
    }
  }

  /// Doubling all features doubles the scores of a Euclidean classifier's margins fourfold, and no
  /// probability may change.
  func testTheTemperatureFollowsTheScaleOfTheScores() throws {
    let scaling = TemperatureScaling(prior: 7, strength: 4)
    let kind = FewShotClassifier.Kind.nearestCentroid(.euclidean)
    let found = try [1, 2].map { (scale: Float) in
      let rows = values("plain", 6 * dimensions).map { scale * $0 }
      return try with(rows, labels, [0, 1, 2, 3, 4, 5], rows, dimensions: dimensions) {
        try scaling.temperature(of: kind, on: $0)
      }
    }
    XCTAssertNotEqual(found[0], 1)  // which would mean that the classes cannot be told apart
    XCTAssertEqual(found[1], 4 * found[0], accuracy: 1e-5 * found[0])
  }

  func testResultsAreTheSameForAnyNumberOfThreads() throws {
    let threads = WorkerPool.shared.threadCount
    defer { WorkerPool.shared.threadCount = threads }
    let found = try [1, 3].map { count in
      WorkerPool.shared.threadCount = count
      return try withSupport { try $0.heldOut(with: kinds[0]).map(\.scores) }
    }
    XCTAssertEqual(found[0], found[1])
  }

  func testTheThresholdIsAQuantileOfTheCosinesOfExamplesThatWereLeftOut() throws {
    let known = try withSupport { try $0.heldOut(with: .nearestCentroid(.cosine)) }
      .map { $0.scores.reduce(-.infinity, max) }.sorted()
    XCTAssertEqual(try threshold(0.5), known[2], accuracy: 1e-12)
    XCTAssertEqual(try threshold(0.875), (known[0] + known[1]) / 2, accuracy: 1e-12)
  }

  func testWithOneExampleOfEachClassItIsTheMeanNearnessToOtherClasses() throws {
    let rows: [Float] = [1, 0, 0, 2, 3, 3]
    let found = try with(rows, [0, 1, 2], [0, 1, 2], rows, dimensions: 2) {
      try RejectionThreshold.threshold($0, knownRate: 0.95)
    }
    XCTAssertEqual(found, 0.5.squareRoot(), accuracy: 1e-7)
  }

  private func threshold(_ knownRate: Double) throws -> Double {
    try withSupport { try RejectionThreshold.threshold($0, knownRate: knownRate) }
  }
}

private func values(_ name: String, _ count: Int) -> [Float] {
  uniform(name, count: count, seed: 1).map(Float.init)
}
