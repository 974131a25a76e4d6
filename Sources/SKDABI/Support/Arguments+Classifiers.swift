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

  func classifier(
    _ code: Int32, _ inverseRegularization: Double
  ) throws -> FewShotClassifier.Kind {
    // The first and the last number of the enumeration in skd.h.
    let codes = SKD_CLASSIFIER_LOGISTIC...SKD_CLASSIFIER_LINEAR_SVC
    let code = try size(Int64(code), "classifier", in: codes)
    switch code {
    case SKD_CLASSIFIER_NEAREST_CENTROID: return .nearestCentroid(.euclidean)
    case SKD_CLASSIFIER_NEAREST_NEIGHBOR: return .nearestNeighbor(.euclidean)
    case SKD_CLASSIFIER_NEAREST_CENTROID_COSINE: return .nearestCentroid(.cosine)
    case SKD_CLASSIFIER_NEAREST_NEIGHBOR_COSINE: return .nearestNeighbor(.cosine)
    default: try positive(inverseRegularization, "inverse_regularization")
    }
    switch code {
    case SKD_CLASSIFIER_RIDGE: return .ridge(alpha: 1 / inverseRegularization)
    case SKD_CLASSIFIER_LINEAR_SVC: return .linearSVC(inverseRegularization: inverseRegularization)
    default: return .logistic(inverseRegularization: inverseRegularization)
    }
  }

  func metric(_ code: Int32) throws -> Metric {
    try size(Int64(code), "metric", in: 0...1) == SKD_METRIC_COSINE ? .cosine : .euclidean
  }
}
