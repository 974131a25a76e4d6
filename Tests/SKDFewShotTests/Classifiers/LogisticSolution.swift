import Foundation
import SKDFewShot

/// A copy of what a regression found, with the objective written from its formula.
struct LogisticSolution {
  let dimensions: Int
  let classes: Int
  let coefficients: [Double]  // [classes, dimensions]
  let intercepts: [Double]

  init(_ regression: LogisticRegression) {
    dimensions = regression.dimensions
    classes = regression.classes
    coefficients = (0..<classes * dimensions).map { [dimensions] in
      regression.coefficients[$0 / dimensions * regression.featureLength + $0 % dimensions]
    }
    intercepts = (0..<classes).map { regression.intercepts[$0] }
  }

  func decision(_ features: [Float], row: Int) -> [Double] {
    var scores = intercepts
    for k in 0..<classes {
      for d in 0..<dimensions {
        scores[k] += coefficients[k * dimensions + d] * Double(features[row * dimensions + d])
      }
    }
    return scores
  }

  /// Sum of the cross-entropies + ||coefficients||² / (2 C), and the largest entry of its gradient.
  func objective(_ features: [Float], _ labels: [Int64], _ inverseRegularization: Double) -> (
    value: Double, largestGradient: Double
  ) {
    var value = coefficients.reduce(0) { $0 + $1 * $1 } / (2 * inverseRegularization)
    var gradient = coefficients.map { $0 / inverseRegularization }
    var interceptGradient = [Double](repeating: 0, count: classes)
    for (n, label) in labels.enumerated() {
      let scores = decision(features, row: n)
      let maximum = scores.max() ?? 0
      let logSum = maximum + log(scores.reduce(0) { $0 + exp($1 - maximum) })
      value += logSum - scores[Int(label)]
      for k in 0..<classes {
        let residual = exp(scores[k] - logSum) - (k == Int(label) ? 1 : 0)
        interceptGradient[k] += residual
        for d in 0..<dimensions {
          gradient[k * dimensions + d] += residual * Double(features[n * dimensions + d])
        }
      }
    }
    return (value, (gradient + interceptGradient).map(\.magnitude).max() ?? 0)
  }
}
