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

  /// Classifies the queries of each episode and compares with their classes, episodes in parallel.
  ///
  /// - Parameters:
  ///   - predictions: `[count, ways, queries]` classes; overwritten, or nil.
  ///   - accuracies: `[count]` fractions of correct predictions, `0...1`; overwritten.
  /// - Throws: `SKDError.outOfMemory`, before anything is written.
  public func score(
    with head: EpisodeHead, predictions: UnsafeMutablePointer<Int64>?,
    accuracies: UnsafeMutablePointer<Double>
  ) throws {
    // A predictor, thus its memory, for each worker.
    let workers = min(count, WorkerPool.shared.threadCount)
    let extent = TransductiveClassifier.Extent(
      supportRows: supportRows, queryRows: ways * queries, dimensions: dimensions, classes: ways)
    let predictors = try (0..<workers).map { _ in try EpisodePredictor(head, extent) }
    let scratch = try AlignedBuffer<Int64>(count: workers * ways * queries)
    WorkerPool.shared.forEach(count, workers: workers) { episode, worker in
      let first = episode * ways * queries
      let predicted = predictions.map { $0 + first } ?? scratch.pointer + worker * ways * queries
      predictors[worker].predict(
        support: support + episode * supportRows * dimensions, labels: supportLabels,
        query: { features + Int(query[first + $0]) * dimensions }, into: predicted)
      let correct = (0..<ways * queries).count { Int(predicted[$0]) == $0 / queries }
      accuracies[episode] = Double(correct) / Double(ways * queries)
    }
  }
}
