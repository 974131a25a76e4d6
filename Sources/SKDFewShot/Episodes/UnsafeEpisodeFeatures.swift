import SKDRuntime

/// The features and the layout of episodes to be scored, in memory of the caller.
///
/// All features are finite, all labels in range and every class is in the support set.
public struct UnsafeEpisodeFeatures {
  /// `[count, supportRows, dimensions]`: one block for each episode.
  public var support: UnsafePointer<Float>
  /// `[supportRows]` classes in `0..<ways`, the same for every episode.
  public var supportLabels: UnsafePointer<Int64>
  public var count: Int
  public var supportRows: Int
  public var dimensions: Int
  /// `[any, dimensions]`: where the queries are taken from.
  public var features: UnsafePointer<Float>
  /// `[count, ways, queries]` rows of `features`, class by class.
  public var query: UnsafePointer<Int64>
  public var ways: Int
  public var queries: Int

  public init(
    support: UnsafePointer<Float>, supportLabels: UnsafePointer<Int64>, count: Int,
    supportRows: Int, dimensions: Int, features: UnsafePointer<Float>,
    query: UnsafePointer<Int64>, ways: Int, queries: Int
  ) {
    self.support = support
    self.supportLabels = supportLabels
    self.count = count
    self.supportRows = supportRows
    self.dimensions = dimensions
    self.features = features
    self.query = query
    self.ways = ways
    self.queries = queries
  }

  /// Fits a classifier to the support set of each episode and scores its queries, episodes in
  /// parallel.
  ///
  /// - Parameters:
  ///   - predictions: `[count, ways, queries]` classes; overwritten, or nil.
  ///   - accuracies: `[count]` fractions of correct predictions, `0...1`; overwritten.
  /// - Throws: `SKDError.outOfMemory`, before anything is written.
  public func score(
    with kind: FewShotClassifier.Kind, predictions: UnsafeMutablePointer<Int64>?,
    accuracies: UnsafeMutablePointer<Double>
  ) throws {
    // A classifier, thus its memory, for each share of the episodes.
    let shares = min(count, WorkerPool.shared.threadCount)
    let classifiers = try (0..<shares).map { _ in
      try FewShotClassifier(kind, rows: supportRows, dimensions: dimensions, classes: ways)
    }
    WorkerPool.shared.forEach(shares) { share, _ in
      for episode in share * count / shares..<(share + 1) * count / shares {
        accuracies[episode] = score(episode, with: classifiers[share], predictions)
      }
    }
  }

  private func score(
    _ episode: Int, with classifier: FewShotClassifier, _ predictions: UnsafeMutablePointer<Int64>?
  ) -> Double {
    classifier.fit(support + episode * supportRows * dimensions, labels: supportLabels)
    var correct = 0
    for i in 0..<ways * queries {
      let position = episode * ways * queries + i
      let prediction = classifier.predict(features + Int(query[position]) * dimensions)
      predictions?[position] = Int64(prediction)
      if prediction == i / queries { correct += 1 }
    }
    return Double(correct) / Double(ways * queries)
  }
}
