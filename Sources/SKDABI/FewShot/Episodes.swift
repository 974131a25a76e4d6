import CSKD
import SKDFewShot
import SKDRuntime

@c @implementation
public func skd_episode_extents(
  _ options: UnsafePointer<skd_episode_options>!, _ first: Int64, _ count: Int64,
  _ n_way: UnsafeMutablePointer<Int64>!, _ n_shot: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("episode_extents") { arguments in
    let (options, generator) = try arguments.episodes(arguments.pointer(options, "options").pointee)
    let (first, count) = try arguments.episodeNumbers(first, count, generator)
    if count == 0 { return }
    let ways = try arguments.pointer(n_way, "n_way")
    let shots = try arguments.pointer(n_shot, "n_shot")
    for e in 0..<count {
      let extent = options.extent(of: first + e, generator)
      ways[e] = Int64(extent.ways)
      shots[e] = Int64(extent.shots)
    }
  }
}

@c @implementation
public func skd_sample_episodes(
  _ labels: UnsafePointer<Int64>!, _ image_count: Int64,
  _ options: UnsafePointer<skd_episode_options>!, _ first: Int64, _ count: Int64,
  _ classes: UnsafeMutablePointer<Int64>!, _ support: UnsafeMutablePointer<Int64>!,
  _ query: UnsafeMutablePointer<Int64>!, _ query_counts: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("sample_episodes") { arguments in
    let imageCount = try arguments.size(image_count, "image_count", in: 1...(1 << 32) - 1)
    let (options, generator) = try arguments.episodes(arguments.pointer(options, "options").pointee)
    let (first, count) = try arguments.episodeNumbers(first, count, generator)
    let labels = try arguments.pointer(labels, "labels")
    let sampler = try EpisodeSampler(
      labels: UnsafeBufferPointer(start: labels, count: imageCount).lazy.map { Int($0) },
      options: options, generator: generator)
    if count == 0 { return }
    let classes = try arguments.pointer(classes, "classes")
    let support = try arguments.pointer(support, "support")
    let query = try arguments.pointer(query, "query")
    let starts = try EpisodeStarts(of: first..<first + count, options, generator)
    WorkerPool.shared.forEach(count) { e, _ in
      let episode = sampler.episode(first + e)
      let start = starts[e]
      copy(episode.classes, to: classes + start.classes)
      copy(episode.support.joined(), to: support + start.support)
      copy(episode.query.joined(), to: query + start.query)
      if let query_counts {
        copy(episode.query.lazy.map(\.count), to: query_counts + start.classes)
      }
    }
  }
}

private func copy(_ numbers: some Sequence<Int>, to output: UnsafeMutablePointer<Int64>) {
  for (i, number) in numbers.enumerated() { output[i] = Int64(number) }
}

/// Where each episode begins in arrays that hold one episode after the other.
private struct EpisodeStarts {
  struct Start {
    var classes = 0
    var support = 0
    var query = 0
  }

  private let options: EpisodeOptions
  private let starts: AlignedBuffer<Int>?  // three numbers each; nil if every extent is the same

  init(of numbers: Range<Int>, _ options: EpisodeOptions, _ generator: EpisodeSampler.Generator)
    throws
  {
    self.options = options
    if options.ways.count == 1 && options.shots.count == 1 {
      starts = nil
      return
    }
    let starts = try AlignedBuffer<Int>(count: 3 * numbers.count)
    var next = Start()
    for (e, number) in numbers.enumerated() {
      starts.pointer[3 * e] = next.classes
      starts.pointer[3 * e + 1] = next.support
      starts.pointer[3 * e + 2] = next.query
      let size = Self.size(options.extent(of: number, generator), options)
      next.classes += size.classes
      next.support += size.support
      next.query += size.query
    }
    self.starts = starts
  }

  subscript(e: Int) -> Start {
    if let starts = starts?.pointer {
      return Start(
        classes: starts[3 * e], support: starts[3 * e + 1], query: starts[3 * e + 2])
    }
    let extent = EpisodeExtent(ways: options.ways.lowerBound, shots: options.shots.lowerBound)
    let size = Self.size(extent, options)
    return Start(classes: e * size.classes, support: e * size.support, query: e * size.query)
  }

  private static func size(_ extent: EpisodeExtent, _ options: EpisodeOptions) -> Start {
    let classes = extent.ways + options.unknownWays
    return Start(
      classes: classes, support: extent.ways * extent.shots, query: classes * options.queries)
  }
}

extension Arguments {
  /// The options and the generator of episodes.
  fileprivate func episodes(_ options: skd_episode_options) throws
    -> (EpisodeOptions, EpisodeSampler.Generator)
  {
    let isLegacy = try flag(options.legacy, "options.legacy")
    let concentration = options.query_concentration
    if concentration != 0 {
      try number(concentration, "options.query_concentration", in: 1e-3...1e6)
    }
    let result = EpisodeOptions(
      ways: try range(options.n_way, options.max_way, "options.n_way", "options.max_way"),
      shots: try range(options.n_shot, options.max_shot, "options.n_shot", "options.max_shot"),
      queries: try size(options.n_query, "options.n_query"),
      unknownWays: try size(options.unknown_ways, "options.unknown_ways", in: 0...1 << 40),
      queryDistribution: concentration == 0 ? .uniform : .dirichlet(concentration: concentration))
    try require(
      !isLegacy || result.isBalanced, "options.legacy",
      "be 0 unless every episode has the same extent and as many queries of every class", got: 1)
    return (result, isLegacy ? .legacy : .seeded(options.seed))
  }

  /// The range from `minimum` to `maximum`, or to `minimum` if `maximum` is 0.
  private func range(_ minimum: Int64, _ maximum: Int64, _ name: String, _ maximumName: String)
    throws -> ClosedRange<Int>
  {
    let least = try size(minimum, name)
    return
      least...(maximum == 0
      ? least : try size(maximum, maximumName, in: least...max(least, (1 << 32) - 1)))
  }

  /// The first number and the count of episodes, as far as the generator tells them apart.
  fileprivate func episodeNumbers(
    _ first: Int64, _ count: Int64, _ generator: EpisodeSampler.Generator
  ) throws -> (first: Int, count: Int) {
    let last = generator == .legacy ? (1 << 32) - 1 : (1 << 48) - 1
    let first = try size(first, "first", in: 0...last)
    return (first, try size(count, "count", in: 0...last + 1 - first))
  }
}
