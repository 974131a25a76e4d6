/// A head that classifies all queries of an episode at once, with its hyper-parameters.
public enum TransductiveHead: Sendable, Equatable {
  /// Centred and L2-normalised features, and the nearest class mean.
  case simpleShot
  /// Prototypes rectified by pseudo-labelled queries.
  case bdCSPN(BDCSPNOptions)
  /// Assignments that are alike for neighbouring queries.
  case laplacianShot(LaplacianShotOptions)
  /// Maximal mutual information of queries and labels; with alpha, α-TIM.
  case tim(TIMOptions)
  /// Power transform and optimal transport.
  case ptMap(PTMAPOptions)

  /// The memory and the method for episodes of one extent.
  ///
  /// - Throws: `SKDError.outOfMemory`.
  func solver(for extent: TransductiveClassifier.Extent) throws -> any TransductiveSolver {
    switch self {
    case .simpleShot: return try SimpleShot(extent)
    case .bdCSPN(let options): return try BDCSPN(options, extent)
    case .laplacianShot(let options): return try LaplacianShot(options, extent)
    case .tim(let options): return try TIM(options, extent)
    case .ptMap(let options): return try PTMAP(options, extent)
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
