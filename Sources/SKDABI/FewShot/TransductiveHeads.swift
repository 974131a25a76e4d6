import CSKD
import SKDFewShot
import SKDRuntime

@c @implementation
public func skd_classify_queries(
  _ head: UnsafePointer<skd_classifier_options>!, _ support: UnsafePointer<Float>!,
  _ support_labels: UnsafePointer<Int64>!, _ count: Int64, _ support_rows: Int64,
  _ dimensions: Int64, _ query: UnsafePointer<Float>!, _ query_rows: Int64, _ classes: Int64,
  _ predictions: UnsafeMutablePointer<Int64>!, _ scores: UnsafeMutablePointer<Double>!,
  _ objectives: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("classify_queries") { arguments in
    let head = try arguments.transductiveClassifier(head, "head")
    let count = try arguments.size(count, "count", in: 0...Arguments.maximumExtent)
    let extent = try arguments.extent(
      supportRows: try arguments.size(support_rows, "support_rows"),
      queryRows: try arguments.size(query_rows, "query_rows"),
      dimensions: try arguments.size(dimensions, "dimensions"),
      classes: try arguments.size(classes, "classes", in: 1...Arguments.maximumClasses))
    let supportCount = try arguments.count(
      count, extent.supportRows, extent.dimensions, of: "support")
    let queryCount = try arguments.count(count, extent.queryRows, extent.dimensions, of: "query")
    _ = try arguments.count(count, extent.queryRows, extent.classes, of: "scores")
    if count == 0 { return }
    let tasks = UnsafeTransductiveTasks(
      support: try arguments.pointer(support, "support"),
      supportLabels: try arguments.pointer(support_labels, "support_labels"),
      query: try arguments.pointer(query, "query"), count: count, extent: extent)
    let predictions = try arguments.pointer(predictions, "predictions")
    let scores = try arguments.pointer(scores, "scores")
    let objectives = try arguments.pointer(objectives, "objectives")
    try arguments.everyLabel(
      tasks.supportLabels, count: extent.supportRows, classes: extent.classes, "support_labels")
    try arguments.finite(tasks.support, count: supportCount, "support")
    try arguments.finite(tasks.query, count: queryCount, "query")
    try tasks.classify(
      with: head, predictions: predictions, scores: scores, objectives: objectives)
  }
}
