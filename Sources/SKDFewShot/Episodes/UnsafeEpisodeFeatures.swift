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
  /// `[count, queryRows]` rows of `features`.
  public var query: UnsafePointer<Int64>
  /// `[count, queryRows]` classes; those from `ways` on are unknown. No episode has unknown ones
  /// alone.
  public var queryLabels: UnsafePointer<Int64>
  public var queryRows: Int
  public var ways: Int

  public init(
    support: UnsafePointer<Float>, supportLabels: UnsafePointer<Int64>, count: Int,
    supportRows: Int, dimensions: Int, features: UnsafePointer<Float>,
    query: UnsafePointer<Int64>, queryLabels: UnsafePointer<Int64>, queryRows: Int, ways: Int
  ) {
    self.support = support
    self.supportLabels = supportLabels
    self.count = count
    self.supportRows = supportRows
    self.dimensions = dimensions
    self.features = features
    self.query = query
    self.queryLabels = queryLabels
    self.queryRows = queryRows
    self.ways = ways
  }

  /// Classifies the queries of each episode and compares those of known classes with their classes,
  /// episodes in parallel.
  ///
  /// - Parameters:
  ///   - predictions: `[count, queryRows]` classes; overwritten, or nil.
  ///   - accuracies: `[count]` fractions of correct predictions, `0...1`; overwritten.
  /// - Throws: `SKDError.outOfMemory`, before anything is written.
  public func score(
    with head: EpisodeHead, predictions: UnsafeMutablePointer<Int64>?,
    accuracies: UnsafeMutablePointer<Double>
  ) throws {
    // A predictor, thus its memory, for each worker.
    let workers = min(count, WorkerPool.shared.threadCount)
    let extent = TransductiveClassifier.Extent(
      supportRows: supportRows, queryRows: queryRows, dimensions: dimensions, classes: ways)
    let predictors = try (0..<workers).map { _ in try EpisodePredictor(head, extent) }
    let scratch = try AlignedBuffer<Int64>(count: workers * queryRows)
    WorkerPool.shared.forEach(count, workers: workers) { episode, worker in
      let first = episode * queryRows
      let predicted = predictions.map { $0 + first } ?? scratch.pointer + worker * queryRows
      predictors[worker].predict(
        support: support + episode * supportRows * dimensions, labels: supportLabels,
        query: { features + Int(query[first + $0]) * dimensions }, into: predicted)
      accuracies[episode] = accuracy(of: predicted, labels: queryLabels + first)
    }
  }

  private func accuracy(
    of predicted: UnsafePointer<Int64>, labels: UnsafePointer<Int64>
  ) -> Double {
    var (known, correct) = (0, 0)
    for i in 0..<queryRows where labels[i] < Int64(ways) {
      known += 1
      if predicted[i] == labels[i] { correct += 1 }
    }
    return Double(correct) / Double(known)
  }
}
