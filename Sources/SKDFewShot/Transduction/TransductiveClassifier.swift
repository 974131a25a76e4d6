import SKDRuntime

/// Classifies the queries of episodes with a transductive head.
///
/// The object owns the memory for episodes of one extent, and can be used again.
public final class TransductiveClassifier {
  /// Extent of an episode; every number is `>= 1`.
  public struct Extent: Sendable, Equatable {
    public var supportRows: Int
    public var queryRows: Int
    public var dimensions: Int
    public var classes: Int

    public init(supportRows: Int, queryRows: Int, dimensions: Int, classes: Int) {
      self.supportRows = supportRows
      self.queryRows = queryRows
      self.dimensions = dimensions
      self.classes = classes
    }
  }

  public let extent: Extent
  private let episode: EpisodeMatrix
  private let solver: any TransductiveSolver

  /// - Throws: `SKDError.outOfMemory`.
  public init(_ head: TransductiveHead, _ extent: Extent) throws {
    self.extent = extent
    episode = try EpisodeMatrix(extent)
    solver = try head.solver(for: extent)
  }

  /// `[queryRows, classes]` of the last call; the largest entry of a row decides. Valid while the
  /// object lives.
  public var scores: UnsafePointer<Double> { UnsafePointer(episode.scores) }

  /// Classifies the queries of an episode.
  ///
  /// - Parameters:
  ///   - support: `[supportRows, dimensions]`, finite.
  ///   - labels: `supportRows` classes in `0..<classes`, every class at least once.
  ///   - query: Returns the `dimensions` features of a query in `0..<queryRows`, finite.
  ///   - predictions: `queryRows` classes in `0..<classes`, the first of equal scores; overwritten.
  /// - Returns: The objective that the method reached, or nil if it has none.
  public func predict(
    support: UnsafePointer<Float>, labels: UnsafePointer<Int64>,
    query: (Int) -> UnsafePointer<Float>, into predictions: UnsafeMutablePointer<Int64>
  ) -> Double? {
    episode.load(support: support, labels: labels, query: query)
    let objective = solver.solve(episode)
    for q in 0..<extent.queryRows {
      let row = episode.scores + q * extent.classes
      predictions[q] = Int64(firstMaximum(of: extent.classes) { row[$0] })
    }
    return objective
  }
}
