import CSKD
import SKDFewShot
import SKDRuntime

@c @implementation
public func skd_calibrate_temperature(
  _ classifier: UnsafePointer<skd_classifier_options>!,
  _ support: UnsafePointer<skd_support_examples>!, _ prior: Double, _ strength: Double,
  _ temperature: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("calibrate_temperature") { arguments in
    let head = try arguments.classifier(classifier, "classifier")
    guard case .inductive(let kind) = head else {
      return try arguments.require(
        false, "classifier.kind", "be an inductive classifier", got: classifier.pointee.kind)
    }
    try arguments.positive(prior, "prior")
    try arguments.number(strength, "strength", in: 0...Double.greatestFiniteMagnitude)
    let support = try arguments.examples(support, "support")
    let temperature = try arguments.pointer(temperature, "temperature")
    temperature.pointee = try TemperatureScaling(prior: prior, strength: strength)
      .temperature(of: kind, on: support)
  }
}

@c @implementation
public func skd_rejection_threshold(
  _ support: UnsafePointer<skd_support_examples>!, _ known_rate: Double,
  _ threshold: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("rejection_threshold") { arguments in
    try arguments.require(
      known_rate > 0 && known_rate < 1, "known_rate", "be in (0, 1)", got: known_rate)
    let support = try arguments.examples(support, "support")
    let threshold = try arguments.pointer(threshold, "threshold")
    threshold.pointee = try RejectionThreshold.threshold(support, knownRate: known_rate)
  }
}

@c @implementation
public func skd_calibration_bins(
  _ confidences: UnsafePointer<Double>!, _ is_correct: UnsafePointer<UInt8>!, _ count: Int64,
  _ bins: Int64, _ counts: UnsafeMutablePointer<Int64>!,
  _ mean_confidences: UnsafeMutablePointer<Double>!, _ accuracies: UnsafeMutablePointer<Double>!,
  _ error: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("calibration_bins") { arguments in
    let count = try arguments.size(count, "count")
    let bins = try arguments.size(bins, "bins", in: 1...10_000)
    let confidences = try arguments.pointer(confidences, "confidences")
    let isCorrect = try arguments.pointer(is_correct, "is_correct")
    let counts = try arguments.pointer(counts, "counts")
    let meanConfidences = try arguments.pointer(mean_confidences, "mean_confidences")
    let accuracies = try arguments.pointer(accuracies, "accuracies")
    let error = try arguments.pointer(error, "error")
    for i in 0..<count {
      try arguments.require(
        (0...1).contains(confidences[i]), "confidences", "be in 0...1",
        got: "\(confidences[i]) at index \(i)")
    }
    let found = CalibrationBins(confidences, isCorrect: isCorrect, count: count, bins: bins)
    for bin in 0..<bins {
      counts[bin] = Int64(found.counts[bin])
      meanConfidences[bin] = found.confidences[bin]
      accuracies[bin] = found.accuracies[bin]
    }
    error.pointee = found.error
  }
}

extension Arguments {
  /// The support set behind a pointer, checked.
  fileprivate func examples(
    _ pointer: UnsafePointer<skd_support_examples>?, _ name: String
  ) throws -> LeaveOneOut {
    let given = try self.pointer(pointer, name).pointee
    let rows = try size(given.rows, "\(name).rows")
    let dimensions = try size(given.dimensions, "\(name).dimensions")
    let classes = try size(given.classes, "\(name).classes", in: 1...Self.maximumClasses)
    let count = try size(given.count, "\(name).count")
    try require(
      count <= rows, "\(name).count", "be at most the number of rows, \(rows)", got: count)
    let featureCount = try self.count(rows, dimensions, of: "\(name).features")
    let plainCount = try self.count(count, dimensions, of: "\(name).plain")
    _ = try self.count(count, classes, of: "scores")
    _ = try self.count(classes, dimensions, of: "coefficients")
    _ = try self.count(rows, classes, of: "decision values")
    let support = LeaveOneOut(
      features: try self.pointer(given.features, "\(name).features"),
      labels: try self.pointer(given.labels, "\(name).labels"),
      examples: try self.pointer(given.examples, "\(name).examples"), rows: rows,
      dimensions: dimensions, classes: classes,
      plain: try self.pointer(given.plain, "\(name).plain"), count: count)
    try everyLabel(support.labels, count: rows, classes: classes, "\(name).labels")
    try labels(support.examples, count: rows, classes: count, "\(name).examples")
    try requireOneLabelOfEach(support, name)
    try finite(support.features, count: featureCount, "\(name).features")
    try finite(support.plain, count: plainCount, "\(name).plain")
    return support
  }

  /// Throws unless every example has rows, and all of them have one label.
  private func requireOneLabelOfEach(_ support: LeaveOneOut, _ name: String) throws {
    var known = [Int64](repeating: -1, count: support.count)
    for row in 0..<support.rows {
      let example = Int(support.examples[row])
      try require(
        known[example] == -1 || known[example] == support.labels[row], "\(name).examples",
        "have rows of one label", got: "several labels of example \(example)")
      known[example] = support.labels[row]
    }
    let missing = known.firstIndex(of: -1)
    try require(
      missing == nil, "\(name).examples", "have a row each", got: "none of \(missing ?? 0)")
  }
}
