import CSKD
import SKDFewShot
import SKDRuntime

@c @implementation
public func skd_sample_episodes(
  _ labels: UnsafePointer<Int64>!, _ image_count: Int64,
  _ options: UnsafePointer<skd_episode_options>!, _ first: Int64, _ count: Int64,
  _ classes: UnsafeMutablePointer<Int64>!, _ support: UnsafeMutablePointer<Int64>!,
  _ query: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("sample_episodes") { arguments in
    let imageCount = try arguments.size(image_count, "image_count", in: 1...(1 << 32) - 1)
    let options = try arguments.pointer(options, "options").pointee
    let shape = EpisodeShape(
      ways: try arguments.size(options.n_way, "options.n_way"),
      shots: try arguments.size(options.n_shot, "options.n_shot"),
      queries: try arguments.size(options.n_query, "options.n_query"))
    let isLegacy = try arguments.flag(options.legacy, "options.legacy")
    let last = isLegacy ? (1 << 32) - 1 : (1 << 48) - 1
    let first = try arguments.size(first, "first", in: 0...last)
    let count = try arguments.size(count, "count", in: 0...last + 1 - first)
    let labels = try arguments.pointer(labels, "labels")
    let sampler = try EpisodeSampler(
      labels: UnsafeBufferPointer(start: labels, count: imageCount).lazy.map { Int($0) },
      shape: shape, generator: isLegacy ? .legacy : .seeded(options.seed))
    if count == 0 { return }
    let classes = try arguments.pointer(classes, "classes")
    let support = try arguments.pointer(support, "support")
    let query = try arguments.pointer(query, "query")
    WorkerPool.shared.forEach(count) { e, _ in
      let episode = sampler.episode(first + e)
      copy(episode.classes, to: classes + e * shape.ways)
      copy(episode.support.joined(), to: support + e * shape.ways * shape.shots)
      copy(episode.query.joined(), to: query + e * shape.ways * shape.queries)
    }
  }
}

private func copy(_ numbers: some Sequence<Int>, to output: UnsafeMutablePointer<Int64>) {
  for (i, number) in numbers.enumerated() { output[i] = Int64(number) }
}
