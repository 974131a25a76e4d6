/// A head of `UnsafeEpisodeFeatures.score`.
public enum EpisodeHead: Sendable, Equatable {
  /// Fitted to the support set alone; classifies each query by itself.
  case inductive(FewShotClassifier.Kind)
  /// Classifies all queries of an episode at once.
  case transductive(TransductiveHead)
}

/// Predicts the queries of one episode after another; owns the memory for episodes of one extent.
final class EpisodePredictor {
  private enum Head {
    case inductive(FewShotClassifier)
    case transductive(TransductiveClassifier)
  }

  private let head: Head
  private let queryRows: Int

  /// - Throws: `SKDError.outOfMemory`.
  init(_ head: EpisodeHead, _ extent: TransductiveClassifier.Extent) throws {
    queryRows = extent.queryRows
    switch head {
    case .inductive(let kind):
      self.head = .inductive(
        try FewShotClassifier(
          kind, rows: extent.supportRows, dimensions: extent.dimensions, classes: extent.classes))
    case .transductive(let head):
      self.head = .transductive(try TransductiveClassifier(head, extent))
    }
  }

  /// Arguments as for `TransductiveClassifier.predict`.
  func predict(
    support: UnsafePointer<Float>, labels: UnsafePointer<Int64>,
    query: (Int) -> UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Int64>
  ) {
    switch head {
    case .inductive(let classifier):
      classifier.fit(support, labels: labels)
      for q in 0..<queryRows { predictions[q] = Int64(classifier.predict(query(q))) }
    case .transductive(let classifier):
      _ = classifier.predict(support: support, labels: labels, query: query, into: predictions)
    }
  }
}
