/// A head that classifies all queries of an episode at once, with its hyper-parameters.
public enum TransductiveHead: Sendable, Equatable {
  /// Centred and L2-normalised features, and the nearest class mean.
  case simpleShot

  /// The memory and the method for episodes of one extent.
  ///
  /// - Throws: `SKDError.outOfMemory`.
  func solver(for extent: TransductiveClassifier.Extent) throws -> any TransductiveSolver {
    switch self {
    case .simpleShot: return try SimpleShot(extent)
    }
  }
}

/// The method of a head.
protocol TransductiveSolver: AnyObject {
  /// Fills the scores of an episode, and may overwrite its features.
  ///
  /// - Returns: The objective that the method reached, or nil if it has none.
  func solve(_ episode: EpisodeMatrix) -> Double?
}
