import SKDRuntime

/// One few-shot task: classes and images drawn from a labelled set.
public struct Episode: Sendable, Equatable {
  /// The labels of the classes drawn, `[ways]`, and then those of the unknown classes.
  public var classes: [Int]
  /// Positions of the support images in the set, `[ways][shots]`.
  public var support: [[Int]]
  /// Positions of the query images of each class, disjoint from the support; a class may have none.
  public var query: [[Int]]
}

/// Numbers of classes and support images of one episode.
public struct EpisodeExtent: Sendable, Equatable {
  public var ways: Int
  public var shots: Int

  public init(ways: Int, shots: Int) {
    self.ways = ways
    self.shots = shots
  }
}

/// Distribution of the queries of an episode over its classes.
public enum QueryDistribution: Sendable, Equatable {
  /// As many of every class.
  case uniform
  /// In proportions of a symmetric Dirichlet distribution with this concentration, which is drawn for
  /// each episode (Veilleux et al., "Realistic evaluation of transductive few-shot learning",
  /// arXiv:2204.11181, 2021).
  case dirichlet(concentration: Double)
}

/// Description of the episodes that an `EpisodeSampler` draws.
public struct EpisodeOptions: Sendable, Equatable {
  /// Classes with support images; each episode draws its number. At least 1.
  public var ways: ClosedRange<Int>
  /// Support images of each class; each episode draws its number. At least 1.
  public var shots: ClosedRange<Int>
  /// Query images of each class, on average; at least 1. An episode has `queries` times its ways.
  public var queries: Int
  /// Further classes without support, each with `queries` query images.
  public var unknownWays: Int
  public var queryDistribution: QueryDistribution

  public init(
    ways: ClosedRange<Int>, shots: ClosedRange<Int>, queries: Int, unknownWays: Int = 0,
    queryDistribution: QueryDistribution = .uniform
  ) {
    self.ways = ways
    self.shots = shots
    self.queries = queries
    self.unknownWays = unknownWays
    self.queryDistribution = queryDistribution
  }

  public init(ways: Int, shots: Int, queries: Int) {
    self.init(ways: ways...ways, shots: shots...shots, queries: queries)
  }

  /// Whether every episode has the same extent and as many queries of every class.
  public var isBalanced: Bool {
    ways.count == 1 && shots.count == 1 && unknownWays == 0 && queryDistribution == .uniform
  }

  /// The extent of episode `number`, each number of its range equally likely.
  public func extent(of number: Int, _ generator: EpisodeSampler.Generator) -> EpisodeExtent {
    guard case .seeded(let seed) = generator else {
      return EpisodeExtent(ways: ways.lowerBound, shots: shots.lowerBound)
    }
    let random = CounterRandom(seed: seed, purpose: .episodeExtents, step: number)
    func draw(_ range: ClosedRange<Int>, at position: Int) -> Int {
      range.lowerBound + random.integer(below: range.count, at: position)
    }
    return EpisodeExtent(ways: draw(ways, at: 0), shots: draw(shots, at: 1))
  }
}
