import CSKD
import SKDFewShot
import SKDRuntime

/// Checks of the arguments of classifiers.
extension Arguments {
  static let maximumClasses = 1_000_000

  /// Throws unless the labels are in `0..<classes` and every class has one.
  func everyLabel(
    _ labels: UnsafePointer<Int64>, count: Int, classes: Int, _ name: String
  ) throws {
    try self.labels(labels, count: count, classes: classes, name)
    var isPresent = [Bool](repeating: false, count: classes)
    for i in 0..<count { isPresent[Int(labels[i])] = true }
    let missing = isPresent.firstIndex(of: false)
    try require(
      missing == nil, name, "hold each of the \(classes) classes",
      got: "none of class \(missing ?? 0)")
  }

  /// Throws unless each row of labels is in `0...ways`, where `ways` is any unknown class, and holds a
  /// known class, and an unknown one if that is needed.
  func queryLabels(
    _ labels: UnsafePointer<Int64>, _ rows: Int, _ columns: Int, ways: Int, needsUnknown: Bool,
    _ name: String
  ) throws {
    try numbers(labels, count: rows * columns, name, in: 0...ways)
    for row in 0..<rows {
      let known = (0..<columns).count { labels[row * columns + $0] < Int64(ways) }
      let kinds = needsUnknown ? "a known and an unknown class" : "a known class"
      try require(
        known > 0 && (known < columns || !needsUnknown), name, "hold \(kinds) in each episode",
        got: "\(known) known of \(columns) in episode \(row)")
    }
  }

  func metric(_ code: Int32) throws -> Metric {
    try size(Int64(code), "metric", in: 0...1) == SKD_METRIC_COSINE ? .cosine : .euclidean
  }
}
