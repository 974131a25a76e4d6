import SKDFewShot
import SKDRuntime
import SKDTestSupport
import XCTest

final class FewShotClassifierTests: XCTestCase {
  func testNormalizedRowsHaveUnitLengthAndZeroStaysZero() {
    let features: [Float] = [3, 4, 0, 0, -1e30, 0, 1e-30, 0]
    XCTAssertEqual(normalized(features, dimensions: 2), [0.6, 0.8, 0, 0, -1, 0, 1, 0])
  }

  func testNearestCentroidUsesTheMeansOfTheClasses() throws {
    let classifier = try FewShotClassifier(
      .nearestCentroid(.euclidean), rows: 3, dimensions: 1, classes: 2)
    classifier.fit([0, 4, 3.5], labels: [0, 0, 1])  // centroids 2 and 3.5
    XCTAssertEqual(classifier.predict([4]), 1)
    XCTAssertEqual(classifier.predict([2.5]), 0)
    XCTAssertEqual(classifier.predict([2.75]), 0)  // equally far: the lower class
  }

  func testNearestNeighborTakesTheFirstOfEqualDistances() throws {
    let classifier = try FewShotClassifier(
      .nearestNeighbor(.euclidean), rows: 3, dimensions: 1, classes: 2)
    classifier.fit([0, 4, 0], labels: [1, 0, 0])
    XCTAssertEqual(classifier.predict([3]), 0)
    XCTAssertEqual(classifier.predict([1]), 1)
    XCTAssertEqual(classifier.predict([2]), 1)
  }

  func testCosineComparesDirectionsAlone() throws {
    let features: [Float] = [10, 1, 0.1, 0.1, 0, 0]
    let neighbor = try FewShotClassifier(
      .nearestNeighbor(.cosine), rows: 3, dimensions: 2, classes: 3)
    neighbor.fit(features, labels: [0, 1, 2])
    XCTAssertEqual(neighbor.predict([1, 1]), 1)
    XCTAssertEqual(neighbor.predict([1, 0.2]), 0)
    XCTAssertEqual(neighbor.predict([-1, -1]), 2)  // zeros have cosine 0, the others less
    XCTAssertEqual(neighbor.predict([0, 0]), 0)  // all are equally far: the first
    XCTAssertEqual(neighbor.predict([3e38, 3e38]), 1)

    let centroid = try FewShotClassifier(
      .nearestCentroid(.cosine), rows: 4, dimensions: 2, classes: 2)
    centroid.fit([4, 0, 0, 4, 0, 1, 0, 2], labels: [0, 0, 1, 1])  // means (2, 2) and (0, 1.5)
    XCTAssertEqual(centroid.predict([0.1, 0.09]), 0)
    XCTAssertEqual(centroid.predict([1, 9]), 1)
  }

  func testScoresAreTheSameForAnyNumberOfThreadsAndMatchSingleFits() throws {
    let (count, ways, shots, queries, dimensions) = (11, 3, 2, 4, 19)
    let (rows, images) = (ways * shots, 50)
    let support = fill("support", shape: [count, rows, dimensions], seed: 1 << 32)
    let features = fill("features", shape: [images, dimensions], seed: 1 << 32)
    let query = (0..<count * ways * queries).map { Int64($0 * 7 % images) }
    let queryLabels = query.indices.map { Int64($0 / queries % ways) }
    let labels = (0..<rows).map { Int64($0 / shots) }
    let threads = WorkerPool.shared.threadCount
    defer { WorkerPool.shared.threadCount = threads }
    let kinds: [FewShotClassifier.Kind] = [
      .logistic(inverseRegularization: 1), .nearestCentroid(.euclidean),
      .nearestCentroid(.cosine), .nearestNeighbor(.euclidean), .nearestNeighbor(.cosine),
      .ridge(alpha: 1), .linearSVC(inverseRegularization: 1),
    ]
    for kind in kinds {
      let results = try [1, 2, 5, 16].map { threads in
        WorkerPool.shared.threadCount = threads
        var predictions = [Int64](repeating: -1, count: query.count)
        var accuracies = [Double](repeating: -1, count: count)
        try support.withUnsafeBufferPointer { support in
          try features.withUnsafeBufferPointer { features in
            try labels.withUnsafeBufferPointer { labels in
              try query.withUnsafeBufferPointer { query in
                try queryLabels.withUnsafeBufferPointer { queryLabels in
                  try UnsafeEpisodeFeatures(
                    support: support.baseAddress!, supportLabels: labels.baseAddress!, count: count,
                    supportRows: rows, dimensions: dimensions, features: features.baseAddress!,
                    query: query.baseAddress!, queryLabels: queryLabels.baseAddress!,
                    queryRows: ways * queries, ways: ways
                  ).score(
                    with: .inductive(kind), predictions: &predictions, accuracies: &accuracies)
                }
              }
            }
          }
        }
        return (predictions, accuracies)
      }
      for result in results { XCTAssertTrue(result == results[0], "\(kind)") }

      let classifier = try FewShotClassifier(
        kind, rows: rows, dimensions: dimensions, classes: ways)
      let (predictions, accuracies) = results[0]
      for episode in 0..<count {
        let block = rows * dimensions
        classifier.fit(
          Array(support[episode * block..<(episode + 1) * block]), labels: labels)
        var correct = 0
        for i in 0..<ways * queries {
          let position = episode * ways * queries + i
          let row = Int(query[position]) * dimensions
          let prediction = classifier.predict(Array(features[row..<row + dimensions]))
          XCTAssertEqual(Int(predictions[position]), prediction)
          correct += prediction == i / queries ? 1 : 0
        }
        XCTAssertEqual(accuracies[episode], Double(correct) / Double(ways * queries))
      }
    }
  }
}
