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
    let codes = SKD_CLASSIFIER_LOGISTIC...SKD_CLASSIFIER_PT_MAP
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
      in: SKD_CLASSIFIER_SIMPLE_SHOT...SKD_CLASSIFIER_PT_MAP)
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
    switch Int(options.kind) {
    case SKD_CLASSIFIER_BD_CSPN:
      return .bdCSPN(
        BDCSPNOptions(
          scale: try factor(options.scale, "\(name).scale"),
          pseudoLabels: try number(options.pseudo_labels, "\(name).pseudo_labels")))
    case SKD_CLASSIFIER_LAPLACIAN_SHOT:
      return .laplacianShot(
        LaplacianShotOptions(
          weight: try weight(options.neighbor_weight, "\(name).neighbor_weight"),
          neighbors: try number(options.neighbors, "\(name).neighbors", from: 1),
          centers: try flag(options.centers, "\(name).centers"),
          rectifies: try flag(options.rectifies, "\(name).rectifies"),
          scale: try factor(options.scale, "\(name).scale"),
          iterations: try number(options.steps, "\(name).steps", from: 1)))
    case SKD_CLASSIFIER_TIM: return .tim(try tim(options, name, alpha: nil))
    case SKD_CLASSIFIER_ALPHA_TIM:
      try number(options.alpha, "\(name).alpha", in: 1.05...100)
      return .tim(try tim(options, name, alpha: options.alpha))
    case SKD_CLASSIFIER_PT_MAP:
      return .ptMap(
        PTMAPOptions(
          power: try factor(options.power, "\(name).power", most: 2),
          scale: try factor(options.scale, "\(name).scale"),
          learningRate: try factor(options.learning_rate, "\(name).learning_rate", most: 1),
          steps: try number(options.steps, "\(name).steps")))
    default: return .simpleShot
    }
  }

  private func tim(
    _ options: skd_classifier_options, _ name: String, alpha: Double?
  ) throws -> TIMOptions {
    TIMOptions(
      temperature: try factor(options.scale, "\(name).scale"),
      crossEntropyWeight: try weight(
        options.cross_entropy_weight, "\(name).cross_entropy_weight"),
      marginalEntropyWeight: try weight(
        options.marginal_entropy_weight, "\(name).marginal_entropy_weight"),
      conditionalEntropyWeight: try weight(
        options.conditional_entropy_weight, "\(name).conditional_entropy_weight"),
      learningRate: try factor(options.learning_rate, "\(name).learning_rate", most: 1),
      steps: try number(options.steps, "\(name).steps"), alpha: alpha)
  }

  private func factor(_ value: Double, _ name: String, most: Double = 1e6) throws -> Double {
    try require(value > 0 && value <= most, name, "be > 0 and at most \(most)", got: value)
    return value
  }

  private func weight(_ value: Double, _ name: String) throws -> Double {
    try number(value, name, in: 0...1e6)
    return value
  }

  private func number(_ value: Int64, _ name: String, from least: Int = 0) throws -> Int {
    try size(value, name, in: least...1_000_000)
  }
}
