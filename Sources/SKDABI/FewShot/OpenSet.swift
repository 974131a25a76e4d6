import CSKD
import SKDFewShot
import SKDRuntime

@c @implementation
public func skd_open_set_scores(
  _ features: UnsafePointer<Float>!, _ rows: Int64, _ dimensions: Int64,
  _ centroids: UnsafePointer<Double>!, _ classes: Int64, _ score: Int32,
  _ scores: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("open_set_scores") { arguments in
    let rows = try arguments.size(rows, "rows", in: 0...Arguments.maximumExtent)
    let dimensions = try arguments.size(dimensions, "dimensions")
    let classes = try arguments.size(classes, "classes", in: 1...Arguments.maximumClasses)
    let featureCount = try arguments.count(rows, dimensions, of: "features")
    let centroidCount = try arguments.count(classes, dimensions, of: "centroids")
    let score = try arguments.openSetScore(score)
    if rows == 0 { return }
    let features = try arguments.pointer(features, "features")
    let centroids = try arguments.pointer(centroids, "centroids")
    let scores = try arguments.pointer(scores, "scores")
    try arguments.finite(features, count: featureCount, "features")
    try arguments.finite(centroids, count: centroidCount, "centroids")
    let scorer = try OpenSetScorer(score, classes: classes, dimensions: dimensions)
    scorer.setCentroids(centroids)
    for n in 0..<rows { scores[n] = scorer.score(of: features + n * dimensions) }
  }
}

@c @implementation
public func skd_open_set_quality(
  _ known: UnsafePointer<Double>!, _ known_count: Int64, _ unknown: UnsafePointer<Double>!,
  _ unknown_count: Int64, _ auroc: UnsafeMutablePointer<Double>!,
  _ fpr95: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("open_set_quality") { arguments in
    let counts = 1...1 << 24
    let knownCount = try arguments.size(known_count, "known_count", in: counts)
    let unknownCount = try arguments.size(unknown_count, "unknown_count", in: counts)
    let known = try arguments.pointer(known, "known")
    let unknown = try arguments.pointer(unknown, "unknown")
    let auroc = try arguments.pointer(auroc, "auroc")
    let fpr95 = try arguments.pointer(fpr95, "fpr95")
    try arguments.finite(known, count: knownCount, "known")
    try arguments.finite(unknown, count: unknownCount, "unknown")
    let quality = DetectionQuality(
      known: Array(UnsafeBufferPointer(start: known, count: knownCount)),
      unknown: Array(UnsafeBufferPointer(start: unknown, count: unknownCount)))
    auroc.pointee = quality.auroc
    fpr95.pointee = quality.fpr95
  }
}

@c @implementation
public func skd_open_set_episodes(
  _ support: UnsafePointer<Float>!, _ support_labels: UnsafePointer<Int64>!, _ count: Int64,
  _ support_rows: Int64, _ dimensions: Int64, _ features: UnsafePointer<Float>!,
  _ image_count: Int64, _ query: UnsafePointer<Int64>!, _ query_labels: UnsafePointer<Int64>!,
  _ query_rows: Int64, _ n_way: Int64, _ score: Int32, _ aurocs: UnsafeMutablePointer<Double>!,
  _ fpr95s: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("open_set_episodes") { arguments in
    let count = try arguments.size(count, "count", in: 0...Arguments.maximumExtent)
    let supportRows = try arguments.size(support_rows, "support_rows")
    let dimensions = try arguments.size(dimensions, "dimensions")
    let imageCount = try arguments.size(image_count, "image_count")
    let queryRows = try arguments.size(query_rows, "query_rows")
    let ways = try arguments.size(n_way, "n_way", in: 1...Arguments.maximumClasses)
    let supportCount = try arguments.count(count, supportRows, dimensions, of: "support")
    let featureCount = try arguments.count(imageCount, dimensions, of: "features")
    let queryCount = try arguments.count(count, queryRows, of: "query")
    _ = try arguments.count(ways, dimensions, of: "centroids")
    let score = try arguments.openSetScore(score)
    if count == 0 { return }
    let episodes = UnsafeEpisodeFeatures(
      support: try arguments.pointer(support, "support"),
      supportLabels: try arguments.pointer(support_labels, "support_labels"), count: count,
      supportRows: supportRows, dimensions: dimensions,
      features: try arguments.pointer(features, "features"),
      query: try arguments.pointer(query, "query"),
      queryLabels: try arguments.pointer(query_labels, "query_labels"), queryRows: queryRows,
      ways: ways)
    let aurocs = try arguments.pointer(aurocs, "aurocs")
    let fpr95s = try arguments.pointer(fpr95s, "fpr95s")
    try arguments.everyLabel(
      episodes.supportLabels, count: supportRows, classes: ways, "support_labels")
    try arguments.labels(episodes.query, count: queryCount, classes: imageCount, "query")
    try arguments.queryLabels(
      episodes.queryLabels, count, queryRows, ways: ways, needsUnknown: true, "query_labels")
    try arguments.finite(episodes.support, count: supportCount, "support")
    try arguments.finite(episodes.features, count: featureCount, "features")
    try episodes.measureOpenSet(score, aurocs: aurocs, fpr95s: fpr95s)
  }
}

extension Arguments {
  fileprivate func openSetScore(_ code: Int32) throws -> OpenSetScore {
    let codes = SKD_OPEN_SET_CENTROID_COSINE...SKD_OPEN_SET_MAX_PROBABILITY
    return try size(Int64(code), "score", in: codes) == SKD_OPEN_SET_CENTROID_COSINE
      ? .centroidCosine : .maximumProbability
  }
}
