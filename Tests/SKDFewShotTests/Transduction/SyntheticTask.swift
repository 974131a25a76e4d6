import SKDFewShot
import SKDRuntime
import SKDTestSupport

/// Tasks with random positive features; the rows of a class lie around its own centre.
struct SyntheticTask {
  let extent: TransductiveClassifier.Extent
  let count: Int
  let support: [Float]
  let labels: [Int64]
  let query: [Float]

  init(ways: Int = 4, shots: Int = 2, queries: Int = 5, dimensions: Int = 21, count: Int = 1) {
    extent = .init(
      supportRows: ways * shots, queryRows: ways * queries, dimensions: dimensions, classes: ways)
    self.count = count
    labels = (0..<ways * shots).map { Int64($0 % ways) }
    let centers = fill("centers", shape: [count, ways, dimensions], seed: 1 << 32).map(abs)
    func rows(_ name: String, _ number: Int) -> [Float] {
      let noise = fill(name, shape: [count, number, dimensions], seed: 1 << 32)
      return noise.enumerated().map { i, value in
        let (episode, row) = (i / (number * dimensions), i / dimensions % number)
        return abs(
          centers[(episode * ways + row % ways) * dimensions + i % dimensions] + 0.3 * value)
      }
    }
    support = rows("support", ways * shots)
    query = rows("query", ways * queries)
  }

  /// Predictions, scores and objectives of all tasks.
  func classify(with head: TransductiveHead) throws -> ([Int64], [Double], [Double]) {
    var predictions = [Int64](repeating: -1, count: count * extent.queryRows)
    var scores = [Double](repeating: -1, count: count * extent.queryRows * extent.classes)
    var objectives = [Double](repeating: -1, count: count)
    try support.withUnsafeBufferPointer { support in
      try labels.withUnsafeBufferPointer { labels in
        try query.withUnsafeBufferPointer { query in
          try UnsafeTransductiveTasks(
            support: support.baseAddress!, supportLabels: labels.baseAddress!,
            query: query.baseAddress!, count: count, extent: extent
          ).classify(
            with: head, predictions: &predictions, scores: &scores, objectives: &objectives)
        }
      }
    }
    return (predictions, scores, objectives)
  }
}

/// Every head with the defaults of its paper.
let everyHead: [TransductiveHead] = [
  .simpleShot, .bdCSPN(.init()), .laplacianShot(.init()), .tim(.init(steps: 60)),
  .tim(.init(steps: 60, alpha: 2)), .ptMap(.init()),
]
