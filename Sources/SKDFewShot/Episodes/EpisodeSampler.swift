import SKDRuntime

/// Draws episodes from a labelled set of images; episode i depends on the generator and i alone.
public struct EpisodeSampler: Sendable {
  /// Source of the randomness.
  public enum Generator: Sendable, Equatable {
    /// NumPy's `RandomState(episode)`, as the published code draws its test episodes.
    case legacy
    /// The counter-based generator, addressed by (seed, episode).
    case seeded(UInt64)
  }

  private struct Class: Sendable {
    var label: Int
    var images: [Int]  // positions in the set, ascending
  }

  public let options: EpisodeOptions
  public let generator: Generator
  private let classes: [Class]  // in order of first appearance

  /// - Parameters:
  ///   - labels: The class of each image, any integers.
  ///   - options: Episodes to draw; only balanced ones for the legacy generator.
  /// - Throws: `SKDError.invalidArgument` if there are too few classes for the largest episode, or a
  ///   class has too few images: `shots + queries`, or the queries of all classes if a random
  ///   distribution may take them from a single one.
  /// - Complexity: O(number of labels).
  public init(labels: some Sequence<Int>, options: EpisodeOptions, generator: Generator) throws {
    var positions: [Int: Int] = [:]
    var classes: [Class] = []
    for (image, label) in labels.enumerated() {
      if let position = positions[label] {
        classes[position].images.append(image)
      } else {
        positions[label] = classes.count
        classes.append(Class(label: label, images: [image]))
      }
    }
    self.options = options
    self.generator = generator
    self.classes = classes
    try requireEnough()
  }

  private func requireEnough() throws {
    let owner = "EpisodeSampler"
    let (ways, unknown) = (options.ways.upperBound, options.unknownWays)
    try require(
      unknown <= classes.count && ways <= classes.count - unknown,
      unknown == 0 ? "ways" : "ways + unknownWays", of: owner,
      "be at most the number of classes, \(classes.count)",
      got: unknown == 0 ? "\(ways)" : "\(ways) and \(unknown)")
    for group in classes {
      let most = "be at most the number of images of class \(group.label), \(group.images.count)"
      let needed = options.shots.upperBound + options.queries
      try require(
        group.images.count >= needed, "shots + queries", of: owner, most, got: "\(needed)")
      if options.queryDistribution == .uniform { continue }
      let all = options.shots.upperBound + ways * options.queries
      try require(
        group.images.count >= all, "shots + ways * queries", of: owner, most, got: "\(all)")
    }
  }

  /// Draws episode `number`: `0..<2^32` for the legacy generator, below 2^48 for the seeded one.
  ///
  /// - Complexity: O(classes + images of the classes drawn).
  public func episode(_ number: Int) -> Episode {
    switch generator {
    case .legacy: return legacyEpisode(number)
    case .seeded(let seed): return seededEpisode(number, seed: seed)
    }
  }

  private func legacyEpisode(_ number: Int) -> Episode {
    var random = MersenneTwister(seed: UInt32(number))
    var episode = Episode(classes: [], support: [], query: [])
    for position in random.permutation(classes.count).prefix(options.ways.lowerBound) {
      let images = classes[position].images
      let support = random.permutation(images.count).prefix(options.shots.lowerBound)
      var isSupport = [Bool](repeating: false, count: images.count)
      for image in support { isSupport[image] = true }
      let rest = images.indices.filter { !isSupport[$0] }
      let query = random.permutation(rest.count).prefix(options.queries)
      episode.classes.append(classes[position].label)
      episode.support.append(support.map { images[$0] })
      episode.query.append(query.map { images[rest[$0]] })
    }
    return episode
  }

  private func seededEpisode(_ number: Int, seed: UInt64) -> Episode {
    let extent = options.extent(of: number, generator)
    var episode = Episode(classes: [], support: [], query: [])
    let drawnClasses = draw(
      extent.ways + options.unknownWays, of: classes.count,
      CounterRandom(seed: seed, purpose: .episodes, step: number, index: 0))
    let queries = queryCounts(number, seed: seed, ways: extent.ways)
    for (way, position) in drawnClasses.enumerated() {
      let images = classes[position].images
      let shots = way < extent.ways ? extent.shots : 0
      let drawn = draw(
        shots + queries[way], of: images.count,
        CounterRandom(seed: seed, purpose: .episodes, step: number, index: way + 1))
      episode.classes.append(classes[position].label)
      if shots > 0 { episode.support.append(drawn.prefix(shots).map { images[$0] }) }
      episode.query.append(drawn.dropFirst(shots).map { images[$0] })
    }
    return episode
  }

  /// Numbers of queries of the classes with support, and then of the unknown ones.
  private func queryCounts(_ number: Int, seed: UInt64, ways: Int) -> [Int] {
    let equal = [Int](repeating: options.queries, count: ways + options.unknownWays)
    guard case .dirichlet(let concentration) = options.queryDistribution else { return equal }
    return dirichletCounts(
      total: ways * options.queries, ways: ways, concentration: concentration, seed: seed,
      episode: number) + equal.dropFirst(ways)
  }

  /// `count` different numbers of `0..<bound`, in random order: the start of a shuffle.
  private func draw(_ count: Int, of bound: Int, _ random: CounterRandom) -> ArraySlice<Int> {
    var order = Array(0..<bound)
    for i in 0..<count { order.swapAt(i, i + random.integer(below: bound - i, at: i)) }
    return order.prefix(count)
  }
}
