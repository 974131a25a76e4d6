/// The conditional entropy of a loss, up to constants.
public enum ConditionalEntropy: Sendable, Equatable {
  /// -weight · log p for each probability.
  case shannon(weight: Float)
  /// -weight · alpha / (alpha - 1) · p^(alpha - 1) for each probability: Tsallis' entropy.
  case tsallis(weight: Float, alpha: Float)
}

/// The gradient of entropies and a cross-entropy with respect to the logits of the assignments.
///
///     q[k, n]        = slope of the conditional entropy at p[k, n] + marginalSlopes[k]
///     residual[k, n] = queryWeights[n] p (q[k, n] - sum_j p[j, n] q[j, n])
///                      + supportWeights[n] (p[k, n] - targets[k, n])
///     residualSums[k] = sum_n residual[k, n]
///
/// The slope is the case of `ConditionalEntropy`. Overwrites `residual`, which may be
/// `probabilities`, `residualSums`, and `logProbabilities` with q; allocates nothing.
///
/// - Parameters:
///   - probabilities: `[blocks][classes][32]`; likewise `logProbabilities`, `targets`, `residual`.
///   - marginalSlopes: `[classes]`.
///   - queryWeights: `[columns]`, zero for the padding; likewise `supportWeights`.
///   - scratch: `extent.scratchCount` elements.
public func entropyGradient(
  probabilities: UnsafePointer<Float>, logProbabilities: UnsafeMutablePointer<Float>,
  _ extent: AssignmentExtent, conditional: ConditionalEntropy,
  marginalSlopes: UnsafePointer<Float>, queryWeights: UnsafePointer<Float>,
  supportWeights: UnsafePointer<Float>, targets: UnsafePointer<Float>,
  residual: UnsafeMutablePointer<Float>, residualSums: UnsafeMutablePointer<Float>,
  scratch: UnsafeMutablePointer<Float>
) {
  fillSlopes(logProbabilities, extent, conditional, marginalSlopes)
  let classes = extent.classes
  scratch.update(repeating: 0, count: extent.scratchCount)
  extent.forEachLine { sample, offset in
    var mean = LineVector(repeating: 0)
    for k in 0..<classes {
      let i = offset &+ k &* blockWidth
      mean.addRelaxedProduct(probabilities.line(at: i), logProbabilities.line(at: i))
    }
    let query = queryWeights.line(at: sample)
    let support = supportWeights.line(at: sample)
    for k in 0..<classes {
      let i = offset &+ k &* blockWidth
      let p = probabilities.line(at: i)
      let q = logProbabilities.line(at: i)
      let r = (query * p * (q - mean))
        .addingRelaxedProduct(support, p - targets.line(at: i))
      residual.store(r, at: i)
      addLine(r, to: scratch, class: k)
    }
  }
  sumLines(scratch, classes: classes, into: residualSums)
}

/// q, in place of log p.
private func fillSlopes(
  _ values: UnsafeMutablePointer<Float>, _ extent: AssignmentExtent,
  _ conditional: ConditionalEntropy, _ marginalSlopes: UnsafePointer<Float>
) {
  switch conditional {
  case .shannon(let weight):
    let factor = LineVector(repeating: -weight)
    replaceSlopes(values, extent, marginalSlopes) { $0 * factor }
  case .tsallis(let weight, let alpha):
    let factor = LineVector(repeating: -weight * alpha / (alpha - 1))
    let exponent = LineVector(repeating: alpha - 1)
    replaceSlopes(values, extent, marginalSlopes) { exponential($0 * exponent) * factor }
  }
}

@inline(__always)
private func replaceSlopes(
  _ values: UnsafeMutablePointer<Float>, _ extent: AssignmentExtent,
  _ marginalSlopes: UnsafePointer<Float>, _ slope: (LineVector) -> LineVector
) {
  extent.forEachLine { _, offset in
    for k in 0..<extent.classes {
      let i = offset &+ k &* blockWidth
      values.store(
        slope(values.line(at: i)) + LineVector(repeating: marginalSlopes[k]), at: i)
    }
  }
}
