import CSKD
import SKDFewShot
import SKDKernels
import SKDRuntime

@c @implementation
public func skd_logistic_regression_fit(
  _ features: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!, _ rows: Int64,
  _ dimensions: Int64, _ classes: Int64, _ inverse_regularization: Double, _ tolerance: Double,
  _ max_iterations: Int64, _ coefficients: UnsafeMutablePointer<Double>!,
  _ intercepts: UnsafeMutablePointer<Double>!, _ iterations: UnsafeMutablePointer<Int64>!,
  _ is_converged: UnsafeMutablePointer<Int32>!
) -> skd_status {
  status("logistic_regression_fit") { arguments in
    let fit = try LinearFit(
      arguments, features, labels, rows, dimensions, classes, coefficients, intercepts)
    let options = try FitOptions(arguments, inverse_regularization, tolerance, max_iterations)
    try fit.checkValues()
    let regression = try LogisticRegression(
      rows: fit.rows, dimensions: fit.dimensions, classes: fit.classes)
    let outcome = regression.fit(fit.features, labels: fit.labels, options)
    fit.write(regression.coefficients, regression.intercepts, length: regression.featureLength)
    iterations?.pointee = Int64(outcome.iterations)
    is_converged?.pointee = outcome.isConverged ? 1 : 0
  }
}

@c @implementation
public func skd_ridge_classifier_fit(
  _ features: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!, _ rows: Int64,
  _ dimensions: Int64, _ classes: Int64, _ alpha: Double,
  _ coefficients: UnsafeMutablePointer<Double>!, _ intercepts: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("ridge_classifier_fit") { arguments in
    let fit = try LinearFit(
      arguments, features, labels, rows, dimensions, classes, coefficients, intercepts)
    try arguments.positive(alpha, "alpha")
    try fit.checkValues()
    let regression = try RidgeClassifier(
      rows: fit.rows, dimensions: fit.dimensions, classes: fit.classes)
    regression.fit(fit.features, labels: fit.labels, alpha: alpha)
    fit.write(regression.coefficients, regression.intercepts, length: regression.featureLength)
  }
}

@c @implementation
public func skd_linear_svc_fit(
  _ features: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!, _ rows: Int64,
  _ dimensions: Int64, _ classes: Int64, _ inverse_regularization: Double, _ tolerance: Double,
  _ max_iterations: Int64, _ coefficients: UnsafeMutablePointer<Double>!,
  _ intercepts: UnsafeMutablePointer<Double>!, _ iterations: UnsafeMutablePointer<Int64>!,
  _ is_converged: UnsafeMutablePointer<Int32>!
) -> skd_status {
  status("linear_svc_fit") { arguments in
    let fit = try LinearFit(
      arguments, features, labels, rows, dimensions, classes, coefficients, intercepts)
    let options = try FitOptions(arguments, inverse_regularization, tolerance, max_iterations)
    try fit.checkValues()
    let machines = try LinearSVC(
      rows: fit.rows, dimensions: fit.dimensions, classes: fit.classes)
    let outcome = machines.fit(fit.features, labels: fit.labels, options)
    fit.write(machines.coefficients, machines.intercepts, length: machines.featureLength)
    iterations?.pointee = Int64(outcome.iterations)
    is_converged?.pointee = outcome.isConverged ? 1 : 0
  }
}

@c @implementation
public func skd_linear_decision(
  _ features: UnsafePointer<Float>!, _ rows: Int64, _ dimensions: Int64, _ classes: Int64,
  _ coefficients: UnsafePointer<Double>!, _ intercepts: UnsafePointer<Double>!,
  _ decision: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("linear_decision") { arguments in
    let rows = try arguments.size(rows, "rows", in: 0...Arguments.maximumExtent)
    let dimensions = try arguments.size(dimensions, "dimensions")
    let classes = try arguments.size(classes, "classes", in: 1...Arguments.maximumClasses)
    _ = try arguments.count(rows, dimensions, of: "features")
    _ = try arguments.count(classes, dimensions, of: "coefficients")
    _ = try arguments.count(rows, classes, of: "decision")
    if rows == 0 { return }
    linearDecision(
      try arguments.pointer(features, "features"), rows: rows, dimensions: dimensions,
      classes: classes, coefficients: try arguments.pointer(coefficients, "coefficients"),
      intercepts: try arguments.pointer(intercepts, "intercepts"),
      into: try arguments.pointer(decision, "decision"))
  }
}

@c @implementation
public func skd_softmax(
  _ logits: UnsafePointer<Double>!, _ rows: Int64, _ classes: Int64, _ temperature: Double,
  _ probabilities: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("softmax") { arguments in
    let rows = try arguments.size(rows, "rows", in: 0...Arguments.maximumExtent)
    let classes = try arguments.size(classes, "classes")
    _ = try arguments.count(rows, classes, of: "logits")
    try arguments.positive(temperature, "temperature")
    if rows == 0 { return }
    softmaxRows(
      try arguments.pointer(logits, "logits"), rows: rows, classes: classes,
      temperature: temperature, into: try arguments.pointer(probabilities, "probabilities"))
  }
}

/// The arguments that the fits of linear classifiers share, checked.
private struct LinearFit {
  let arguments: Arguments
  let features: UnsafePointer<Float>
  let labels: UnsafePointer<Int64>
  let rows: Int
  let dimensions: Int
  let classes: Int
  private let coefficients: UnsafeMutablePointer<Double>
  private let intercepts: UnsafeMutablePointer<Double>

  init(
    _ arguments: Arguments, _ features: UnsafePointer<Float>?, _ labels: UnsafePointer<Int64>?,
    _ rows: Int64, _ dimensions: Int64, _ classes: Int64,
    _ coefficients: UnsafeMutablePointer<Double>?, _ intercepts: UnsafeMutablePointer<Double>?
  ) throws {
    self.arguments = arguments
    self.rows = try arguments.size(rows, "rows")
    self.dimensions = try arguments.size(dimensions, "dimensions")
    self.classes = try arguments.size(classes, "classes", in: 2...Arguments.maximumClasses)
    _ = try arguments.count(self.rows, self.dimensions, of: "features")
    _ = try arguments.count(self.classes, self.dimensions, of: "coefficients")
    _ = try arguments.count(self.rows, self.classes, of: "decision values")
    self.features = try arguments.pointer(features, "features")
    self.labels = try arguments.pointer(labels, "labels")
    self.coefficients = try arguments.pointer(coefficients, "coefficients")
    self.intercepts = try arguments.pointer(intercepts, "intercepts")
  }

  /// Throws unless the labels are in range, every class has one, and the features are finite.
  func checkValues() throws {
    try arguments.everyLabel(labels, count: rows, classes: classes, "labels")
    try arguments.finite(features, count: rows * dimensions, "features")
  }

  /// Writes the fitted arrays; the rows of the source have a length of their own.
  func write(
    _ coefficients: UnsafePointer<Double>, _ intercepts: UnsafePointer<Double>, length: Int
  ) {
    for k in 0..<classes {
      (self.coefficients + k * dimensions).update(
        from: coefficients + k * length, count: dimensions)
    }
    self.intercepts.update(from: intercepts, count: classes)
  }
}

extension FitOptions {
  fileprivate init(
    _ arguments: Arguments, _ inverseRegularization: Double, _ tolerance: Double,
    _ maximumIterations: Int64
  ) throws {
    try arguments.positive(inverseRegularization, "inverse_regularization")
    try arguments.positive(tolerance, "tolerance")
    self.init(
      inverseRegularization: inverseRegularization, tolerance: tolerance,
      maximumIterations: try arguments.size(maximumIterations, "max_iterations"))
  }
}
