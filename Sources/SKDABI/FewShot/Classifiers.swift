import CSKD
import SKDFewShot
import SKDRuntime

@c @implementation
public func skd_l2_normalize(
  _ features: UnsafePointer<Float>!, _ rows: Int64, _ dimensions: Int64,
  _ mean: UnsafePointer<Float>!, _ normalized: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("l2_normalize") { arguments in
    let rows = try arguments.size(rows, "rows", in: 0...Arguments.maximumExtent)
    let dimensions = try arguments.size(dimensions, "dimensions")
    let count = try arguments.count(rows, dimensions, of: "features")
    if count == 0 { return }
    let features = try arguments.pointer(features, "features")
    let normalized = try arguments.pointer(normalized, "normalized")
    try arguments.finite(features, count: count, "features")
    if let mean { try arguments.finite(mean, count: dimensions, "mean") }
    l2Normalize(features, rows: rows, dimensions: dimensions, mean: mean, into: normalized)
  }
}

@c @implementation
public func skd_score_episodes(
  _ support: UnsafePointer<Float>!, _ support_labels: UnsafePointer<Int64>!, _ count: Int64,
  _ support_rows: Int64, _ dimensions: Int64, _ features: UnsafePointer<Float>!,
  _ image_count: Int64, _ query: UnsafePointer<Int64>!, _ query_labels: UnsafePointer<Int64>!,
  _ query_rows: Int64, _ n_way: Int64, _ classifier: UnsafePointer<skd_classifier_options>!,
  _ predictions: UnsafeMutablePointer<Int64>!, _ accuracies: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("score_episodes") { arguments in
    let count = try arguments.size(count, "count", in: 0...Arguments.maximumExtent)
    let supportRows = try arguments.size(support_rows, "support_rows")
    let dimensions = try arguments.size(dimensions, "dimensions")
    let imageCount = try arguments.size(image_count, "image_count")
    let ways = try arguments.size(n_way, "n_way", in: 1...Arguments.maximumClasses)
    let queryRows = try arguments.size(query_rows, "query_rows")
    let supportCount = try arguments.count(count, supportRows, dimensions, of: "support")
    let featureCount = try arguments.count(imageCount, dimensions, of: "features")
    let queryCount = try arguments.count(count, queryRows, of: "query")
    _ = try arguments.count(supportRows, dimensions, of: "support")
    _ = try arguments.count(ways, dimensions, of: "coefficients")
    _ = try arguments.count(supportRows, ways, of: "decision values")
    let head = try arguments.classifier(classifier, "classifier")
    if count == 0 { return }
    if case .transductive = head {
      _ = try arguments.extent(
        supportRows: supportRows, queryRows: queryRows, dimensions: dimensions, classes: ways)
    }
    let episodes = UnsafeEpisodeFeatures(
      support: try arguments.pointer(support, "support"),
      supportLabels: try arguments.pointer(support_labels, "support_labels"), count: count,
      supportRows: supportRows, dimensions: dimensions,
      features: try arguments.pointer(features, "features"),
      query: try arguments.pointer(query, "query"),
      queryLabels: try arguments.pointer(query_labels, "query_labels"), queryRows: queryRows,
      ways: ways)
    let accuracies = try arguments.pointer(accuracies, "accuracies")
    try arguments.everyLabel(
      episodes.supportLabels, count: supportRows, classes: ways, "support_labels")
    try arguments.labels(episodes.query, count: queryCount, classes: imageCount, "query")
    try arguments.queryLabels(
      episodes.queryLabels, count, queryRows, ways: ways, needsUnknown: false, "query_labels")
    try arguments.finite(episodes.support, count: supportCount, "support")
    try arguments.finite(episodes.features, count: featureCount, "features")
    try episodes.score(with: head, predictions: predictions, accuracies: accuracies)
  }
}

@c @implementation
public func skd_mean_ci95(
  _ values: UnsafePointer<Double>!, _ count: Int64, _ mean: UnsafeMutablePointer<Double>!,
  _ ci95: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("mean_ci95") { arguments in
    let count = try arguments.size(count, "count")
    let values = try arguments.pointer(values, "values")
    let mean = try arguments.pointer(mean, "mean")
    let ci95 = try arguments.pointer(ci95, "ci95")
    try arguments.finite(values, count: count, "values")
    let interval = ConfidenceInterval(of: UnsafeBufferPointer(start: values, count: count))
    mean.pointee = interval.mean
    ci95.pointee = interval.halfWidth ?? .nan
  }
}
