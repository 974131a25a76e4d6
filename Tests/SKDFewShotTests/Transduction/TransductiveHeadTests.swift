import SKDFewShot
import SKDRuntime
import SKDTestSupport
import XCTest

final class TransductiveHeadTests: XCTestCase {
  func testResultsAreTheSameForAnyNumberOfThreads() throws {
    let task = SyntheticTask(count: 7)
    let threads = WorkerPool.shared.threadCount
    defer { WorkerPool.shared.threadCount = threads }
    for head in everyHead {
      let results = try [1, 2, 5, 16].map { threads in
        WorkerPool.shared.threadCount = threads
        return try task.classify(with: head)
      }
      for (predictions, scores, objectives) in results {
        XCTAssertEqual(predictions, results[0].0, "\(head)")
        XCTAssertEqual(scores, results[0].1, "\(head)")
        XCTAssertTrue(
          objectives == results[0].2 || objectives.allSatisfy(\.isNaN), "\(head): \(objectives)")
      }
    }
  }

  func testMostQueriesOfSeparatedClassesAreRight() throws {
    for (ways, shots, dimensions) in [(2, 1, 5), (4, 2, 21), (7, 3, 64)] {
      let task = SyntheticTask(ways: ways, shots: shots, dimensions: dimensions, count: 5)
      for head in everyHead {
        let predictions = try task.classify(with: head).0
        let correct = predictions.indices.count { Int(predictions[$0]) == $0 % ways }
        XCTAssertGreaterThan(Double(correct) / Double(predictions.count), 0.7, "\(head) \(ways)")
      }
    }
  }

  func testEpisodesAreScoredAsTheirQueriesAreClassified() throws {
    let (ways, shots, queries, dimensions) = (3, 2, 4, 10)
    let task = SyntheticTask(ways: ways, shots: shots, queries: queries, dimensions: dimensions)
    // Query i of the episode is query row order[i] of the task.
    let order = (0..<ways * queries).map { Int64($0 % queries * ways + $0 / queries) }
    for head in everyHead {
      var predictions = [Int64](repeating: -1, count: order.count)
      var accuracies = [-1.0]
      try task.support.withUnsafeBufferPointer { support in
        try task.labels.withUnsafeBufferPointer { labels in
          try task.query.withUnsafeBufferPointer { query in
            try order.withUnsafeBufferPointer { order in
              try order.indices.map { Int64($0 / queries) }.withUnsafeBufferPointer { ofQuery in
                try UnsafeEpisodeFeatures(
                  support: support.baseAddress!, supportLabels: labels.baseAddress!, count: 1,
                  supportRows: ways * shots, dimensions: dimensions, features: query.baseAddress!,
                  query: order.baseAddress!, queryLabels: ofQuery.baseAddress!,
                  queryRows: ways * queries, ways: ways
                ).score(
                  with: .transductive(head), predictions: &predictions, accuracies: &accuracies)
              }
            }
          }
        }
      }
      let expected = try task.classify(with: head).0
      XCTAssertEqual(predictions, order.map { expected[Int($0)] }, "\(head)")
      let correct = predictions.indices.count { Int(predictions[$0]) == $0 / queries }
      XCTAssertEqual(accuracies[0], Double(correct) / Double(ways * queries))
    }
  }

  func testSimpleShotCentresAndNormalizesByHand() throws {
    let classifier = try TransductiveClassifier(
      .simpleShot, .init(supportRows: 2, queryRows: 2, dimensions: 2, classes: 2))
    let query: [Float] = [9, 6, 11, 2]
    var predictions: [Int64] = [-1, -1]
    // The mean is (10, 3): the support rows become (-1, 0) and (1, -1) / √2, the queries
    // (-1, 3) / √10 and (1, -1) / √2.
    let objective = query.withUnsafeBufferPointer { query in
      classifier.predict(
        support: [8, 3, 12, 1], labels: [1, 0], query: { query.baseAddress! + 2 * $0 },
        into: &predictions)
    }
    XCTAssertNil(objective)
    XCTAssertEqual(predictions, [1, 0])
  }
}
