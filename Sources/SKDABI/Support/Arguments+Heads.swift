import CSKD
import SKDFewShot
import SKDRuntime

/// Checks of a classifier and its hyper-parameters.
extension Arguments {
  func classifier(
    _ options: UnsafePointer<skd_classifier_options>?, _ name: String
  ) throws -> EpisodeHead {
    let options = try pointer(options, name).pointee
    // The first and the last number of the enumeration in skd.h.
    let codes = SKD_CLASSIFIER_LOGISTIC...SKD_CLASSIFIER_SIMPLE_SHOT
    let kind = try size(Int64(options.kind), "\(name).kind", in: codes)
    if kind >= SKD_CLASSIFIER_SIMPLE_SHOT {
      return .transductive(try transductiveHead(options, name))
    }
    return .inductive(try inductiveKind(options, name))
  }

  /// A classifier that must be transductive.
  func transductiveClassifier(
    _ options: UnsafePointer<skd_classifier_options>?, _ name: String
  ) throws -> TransductiveHead {
    let options = try pointer(options, name).pointee
    _ = try size(
      Int64(options.kind), "\(name).kind",
      in: SKD_CLASSIFIER_SIMPLE_SHOT...SKD_CLASSIFIER_SIMPLE_SHOT)
    return try transductiveHead(options, name)
  }

  /// The extent of an episode, if what a transductive head computes of it stays below 2^40 elements.
  func extent(
    supportRows: Int, queryRows: Int, dimensions: Int, classes: Int
  ) throws -> TransductiveClassifier.Extent {
    let rows = supportRows + queryRows
    _ = try count(rows, dimensions, of: "features of an episode")
    _ = try count(rows, classes, of: "scores of an episode")
    _ = try count(classes, dimensions, of: "class means")
    _ = try count(rows, rows, of: "products of features")
    return .init(
      supportRows: supportRows, queryRows: queryRows, dimensions: dimensions, classes: classes)
  }

  private func inductiveKind(
    _ options: skd_classifier_options, _ name: String
  ) throws -> FewShotClassifier.Kind {
    switch Int(options.kind) {
    case SKD_CLASSIFIER_NEAREST_CENTROID: return .nearestCentroid(.euclidean)
    case SKD_CLASSIFIER_NEAREST_NEIGHBOR: return .nearestNeighbor(.euclidean)
    case SKD_CLASSIFIER_NEAREST_CENTROID_COSINE: return .nearestCentroid(.cosine)
    case SKD_CLASSIFIER_NEAREST_NEIGHBOR_COSINE: return .nearestNeighbor(.cosine)
    default: try positive(options.inverse_regularization, "\(name).inverse_regularization")
    }
    let inverseRegularization = options.inverse_regularization
    switch Int(options.kind) {
    case SKD_CLASSIFIER_RIDGE: return .ridge(alpha: 1 / inverseRegularization)
    case SKD_CLASSIFIER_LINEAR_SVC: return .linearSVC(inverseRegularization: inverseRegularization)
    default: return .logistic(inverseRegularization: inverseRegularization)
    }
  }

  private func transductiveHead(
    _ options: skd_classifier_options, _ name: String
  ) throws -> TransductiveHead {
    .simpleShot
  }
}
