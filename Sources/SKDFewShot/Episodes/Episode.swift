/// One few-shot task: classes and images drawn from a labelled set.
public struct Episode: Sendable, Equatable {
  /// The labels of the classes drawn, `[n_way]`.
  public var classes: [Int]
  /// Positions of the support images in the set, `[n_way][n_shot]`.
  public var support: [[Int]]
  /// Positions of the query images in the set, `[n_way][n_query]`; disjoint from the support.
  public var query: [[Int]]
}

/// Extent of an episode.
public struct EpisodeShape: Sendable, Equatable {
  /// Classes; >= 1.
  public var ways: Int
  /// Support images of each class; >= 1.
  public var shots: Int
  /// Query images of each class; >= 1.
  public var queries: Int

  public init(ways: Int, shots: Int, queries: Int) {
    self.ways = ways
    self.shots = shots
    self.queries = queries
  }

  /// Images needed of each class.
  public var imagesPerClass: Int { shots + queries }
}
