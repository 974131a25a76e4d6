import SKDFewShot

/// A copy of the ±1 problems that a ridge regression or support vector machines solve, with the
/// gradients of their objectives written from the formulas.
struct LinearSolution {
  let dimensions: Int
  let classes: Int
  let coefficients: [Double]  // [classes, dimensions]
  let intercepts: [Double]

  init(_ regression: RidgeClassifier) {
    self.init(
      regression.coefficients, regression.intercepts, regression.featureLength,
      regression.dimensions, regression.classes)
  }

  init(_ machines: LinearSVC) {
    self.init(
      machines.coefficients, machines.intercepts, machines.featureLength, machines.dimensions,
      machines.classes)
  }

  private init(
    _ coefficients: UnsafePointer<Double>, _ intercepts: UnsafePointer<Double>, _ length: Int,
    _ dimensions: Int, _ classes: Int
  ) {
    self.dimensions = dimensions
    self.classes = classes
    self.coefficients = (0..<classes * dimensions).map {
      coefficients[$0 / dimensions * length + $0 % dimensions]
    }
    self.intercepts = (0..<classes).map { intercepts[$0] }
  }

  func decision(_ features: ArraySlice<Float>, class k: Int) -> Double {
    zip(features, coefficients[k * dimensions..<(k + 1) * dimensions])
      .reduce(intercepts[k]) { $0 + Double($1.0) * $1.1 }
  }

  /// Gradient of `sum (f - t)² + alpha ||w||²`, halved.
  func largestRidgeGradient(_ features: [Float], _ labels: [Int64], alpha: Double) -> Double {
    largestGradient(features, labels, penalty: alpha, interceptPenalty: 0) { output, target in
      output - target
    }
  }

  /// Gradient of `(||w||² + b²) / 2 + C sum max(0, 1 - t f)²`, divided by 2 C.
  func largestHingeGradient(
    _ features: [Float], _ labels: [Int64], inverseRegularization: Double
  ) -> Double {
    let penalty = 1 / (2 * inverseRegularization)
    return largestGradient(features, labels, penalty: penalty, interceptPenalty: penalty) {
      output, target in target * output < 1 ? output - target : 0
    }
  }

  private func largestGradient(
    _ features: [Float], _ labels: [Int64], penalty: Double, interceptPenalty: Double,
    _ residual: (Double, Double) -> Double
  ) -> Double {
    var largest = 0.0
    for k in 0..<classes {
      var gradient = coefficients[k * dimensions..<(k + 1) * dimensions].map { penalty * $0 }
      var interceptGradient = interceptPenalty * intercepts[k]
      for (n, label) in labels.enumerated() {
        let row = features[n * dimensions..<(n + 1) * dimensions]
        let residual = residual(decision(row, class: k), label == Int64(k) ? 1 : -1)
        interceptGradient += residual
        for (d, feature) in row.enumerated() { gradient[d] += residual * Double(feature) }
      }
      largest = gradient.reduce(max(largest, interceptGradient.magnitude)) {
        max($0, $1.magnitude)
      }
    }
    return largest
  }
}
