import SKDRuntime

/// The features of episodes of one extent to be classified, in memory of the caller.
///
/// All features are finite, all labels in range and every class is in the support set.
public struct UnsafeTransductiveTasks {
  /// `[count, supportRows, dimensions]`: one block for each episode.
  public var support: UnsafePointer<Float>
  /// `[supportRows]` classes in `0..<classes`, the same for every episode.
  public var supportLabels: UnsafePointer<Int64>
  /// `[count, queryRows, dimensions]`.
  public var query: UnsafePointer<Float>
  public var count: Int
  public var extent: TransductiveClassifier.Extent

  public init(
    support: UnsafePointer<Float>, supportLabels: UnsafePointer<Int64>,
    query: UnsafePointer<Float>, count: Int, extent: TransductiveClassifier.Extent
  ) {
    self.support = support
    self.supportLabels = supportLabels
    self.query = query
    self.count = count
    self.extent = extent
  }

  /// Classifies the queries of each episode, episodes in parallel.
  ///
  /// - Parameters:
  ///   - predictions: `[count, queryRows]` classes; overwritten.
  ///   - scores: `[count, queryRows, classes]`; overwritten.
  ///   - objectives: `[count]`; overwritten, with NaN if the head has no objective.
  /// - Throws: `SKDError.outOfMemory`, before anything is written.
  public func classify(
    with head: TransductiveHead, predictions: UnsafeMutablePointer<Int64>,
    scores: UnsafeMutablePointer<Double>, objectives: UnsafeMutablePointer<Double>
  ) throws {
    let workers = min(count, WorkerPool.shared.threadCount)
    let classifiers = try (0..<workers).map { _ in try TransductiveClassifier(head, extent) }
    let (rows, dimensions, classes) = (extent.queryRows, extent.dimensions, extent.classes)
    WorkerPool.shared.forEach(count, workers: workers) { episode, worker in
      let queries = query + episode * rows * dimensions
      let objective = classifiers[worker].predict(
        support: support + episode * extent.supportRows * dimensions, labels: supportLabels,
        query: { queries + $0 * dimensions }, into: predictions + episode * rows)
      (scores + episode * rows * classes).update(
        from: classifiers[worker].scores, count: rows * classes)
      objectives[episode] = objective ?? .nan
    }
  }
}
