import SKDKernels

/// Decision values of a fitted logistic regression.
///
///     decision[n, k] = intercepts[k] + sum_d features[n, d] coefficients[k, d]
///
/// - Parameters:
///   - features: `[rows, dimensions]`.
///   - coefficients: `[classes, dimensions]`.
///   - intercepts: `[classes]`.
///   - decision: `[rows, classes]`; overwritten.
/// - Complexity: O(rows · classes · dimensions); allocates nothing.
public func logisticDecision(
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
