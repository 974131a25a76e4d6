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

  func metric(_ code: Int32) throws -> Metric {
    try size(Int64(code), "metric", in: 0...1) == SKD_METRIC_COSINE ? .cosine : .euclidean
  }
}
