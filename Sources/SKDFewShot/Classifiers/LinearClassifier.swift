import SKDKernels

/// A classifier whose decision values are linear in the features.
///
///     decision[k] = intercepts[k] + sum_d features[d] coefficients[k, d]
protocol LinearClassifier: AnyObject {
  /// Length of a row of `coefficients`, zero padding included.
  var featureLength: Int { get }
  /// `[classes, featureLength]`.
  var coefficients: UnsafePointer<Double> { get }
  /// `[classes]`.
  var intercepts: UnsafePointer<Double> { get }
}

extension LinearClassifier {
  /// The decision value of class `k` for a padded row of features.
  func decision(_ row: UnsafePointer<Double>, class k: Int) -> Double {
    dotProduct(row, coefficients + k * featureLength, length: featureLength) + intercepts[k]
  }
}

/// Decision values of a fitted linear classifier.
///
///     decision[n, k] = intercepts[k] + sum_d features[n, d] coefficients[k, d]
///
/// - Parameters:
///   - features: `[rows, dimensions]`.
///   - coefficients: `[classes, dimensions]`.
///   - intercepts: `[classes]`.
///   - decision: `[rows, classes]`; overwritten.
/// - Complexity: O(rows · classes · dimensions); allocates nothing.
public func linearDecision(
  _ features: UnsafePointer<Float>, rows: Int, dimensions: Int, classes: Int,
  coefficients: UnsafePointer<Double>, intercepts: UnsafePointer<Double>,
  into decision: UnsafeMutablePointer<Double>
) {
  for n in 0..<rows {
    for k in 0..<classes {
      decision[n * classes + k] =
        intercepts[k]
        + dotProduct(features + n * dimensions, coefficients + k * dimensions, count: dimensions)
    }
  }
}

/// Strength of the penalty of an iterative fit, and when the fit ends.
public struct FitOptions: Sendable {
  /// C, positive.
  public var inverseRegularization: Double
  /// Positive; a logistic regression ends when the largest entry of the gradient is below, a support
  /// vector machine when its coefficients and intercept are known to be that near to the minimum.
  public var tolerance: Double
  /// Most iterations, of each class if classes are fitted one by one.
  public var maximumIterations: Int

  /// 1 / C, at most 1e150, so that products of penalised numbers stay finite.
  var penalty: Double { min(1 / inverseRegularization, 1e150) }

  public init(
    inverseRegularization: Double = 1, tolerance: Double = 1e-6, maximumIterations: Int = 1000
  ) {
    self.inverseRegularization = inverseRegularization
    self.tolerance = tolerance
    self.maximumIterations = maximumIterations
  }
}

/// Outcome of an iterative fit.
public struct FitOutcome: Sendable, Equatable {
  public var iterations: Int
  /// Whether it ended as near to the minimum as the tolerance asks for.
  public var isConverged: Bool
}
