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

  public let shape: EpisodeShape
  public let generator: Generator
  private let classes: [Class]  // in order of first appearance

  /// - Parameters:
  ///   - labels: The class of each image, any integers.
  ///   - shape: Every extent >= 1.
  /// - Throws: `SKDError.invalidArgument` if there are fewer than `shape.ways` classes, or a class
  ///   has fewer than `shape.imagesPerClass` images.
  /// - Complexity: O(number of labels).
  public init(labels: some Sequence<Int>, shape: EpisodeShape, generator: Generator) throws {
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
    try require(
      classes.count >= shape.ways, "ways", of: "EpisodeSampler",
      "be at most the number of classes, \(classes.count)", got: "\(shape.ways)")
    for group in classes {
      try require(
        group.images.count >= shape.imagesPerClass, "shots + queries", of: "EpisodeSampler",
        "be at most the number of images of class \(group.label), \(group.images.count)",
        got: "\(shape.imagesPerClass)")
    }
    self.shape = shape
    self.generator = generator
    self.classes = classes
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
    for position in random.permutation(classes.count).prefix(shape.ways) {
      let images = classes[position].images
      let support = random.permutation(images.count).prefix(shape.shots)
      var isSupport = [Bool](repeating: false, count: images.count)
      for image in support { isSupport[image] = true }
      let rest = images.indices.filter { !isSupport[$0] }
      let query = random.permutation(rest.count).prefix(shape.queries)
      episode.classes.append(classes[position].label)
      episode.support.append(support.map { images[$0] })
      episode.query.append(query.map { images[rest[$0]] })
    }
    return episode
  }

  private func seededEpisode(_ number: Int, seed: UInt64) -> Episode {
    var episode = Episode(classes: [], support: [], query: [])
    let drawnClasses = draw(
      shape.ways, of: classes.count,
      CounterRandom(seed: seed, purpose: .episodes, step: number, index: 0))
    for (way, position) in drawnClasses.enumerated() {
      let images = classes[position].images
      let drawn = draw(
        shape.imagesPerClass, of: images.count,
        CounterRandom(seed: seed, purpose: .episodes, step: number, index: way + 1))
      episode.classes.append(classes[position].label)
      episode.support.append(drawn.prefix(shape.shots).map { images[$0] })
      episode.query.append(drawn.dropFirst(shape.shots).map { images[$0] })
    }
    return episode
  }

  /// `count` different numbers of `0..<bound`, in random order: the start of a shuffle.
  private func draw(_ count: Int, of bound: Int, _ random: CounterRandom) -> ArraySlice<Int> {
    var order = Array(0..<bound)
    for i in 0..<count { order.swapAt(i, i + random.integer(below: bound - i, at: i)) }
    return order.prefix(count)
  }
}
