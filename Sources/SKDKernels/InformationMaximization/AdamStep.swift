/// The step size and the bias corrections of one step of Adam.
public struct AdamRates: Sendable, Equatable {
  /// Learning rate / (1 - beta1^t).
  var stepSize: Float
  /// 1 / sqrt(1 - beta2^t).
  var rootFactor: Float

  static let beta1: Float = 0.9
  static let beta2: Float = 0.999
  static let epsilon: Float = 1e-8

  /// - Parameters:
  ///   - powers: beta1^t and beta2^t.
  public init(learningRate: Double, powers: (Double, Double)) {
    stepSize = Float(learningRate / (1 - powers.0))
    rootFactor = Float(1 / (1 - powers.1).squareRoot())
  }

  /// beta1^t and beta2^t of the next t.
  public static func next(_ powers: (Double, Double)) -> (Double, Double) {
    (powers.0 * 0.9, powers.1 * 0.999)
  }
}

/// One step of Adam (Kingma and Ba, arXiv:1412.6980) for weight vectors of soft assignments.
///
///     g = scale (products[k, d] - residualSums[k] w[k, d])
///     m = 0.9 m + 0.1 g,   v = 0.999 v + 0.001 g²
///     w = w - stepSize m / (sqrt(v) rootFactor + 1e-8)
///
/// Updates `weights` and the moments in place; operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - weights: w, `[blocks][classes][32]`; likewise `products`, sum_n residual[k, n] x[n, d], and
///     the moments.
///   - residualSums: `[classes]`.
public func adamStep(
  _ weights: UnsafeMutablePointer<Float>, products: UnsafePointer<Float>,
  residualSums: UnsafePointer<Float>, scale: Float, blocks: Int, classes: Int, _ rates: AdamRates,
  firstMoments: UnsafeMutablePointer<Float>, secondMoments: UnsafeMutablePointer<Float>
) {
  for row in 0..<blocks &* classes {
    let residual = LineVector(repeating: -residualSums[row % classes])
    for half in 0..<blockWidth / LineVector.scalarCount {
      let i = row &* blockWidth &+ half &* LineVector.scalarCount
      let w = weights.line(at: i)
      let g = products.line(at: i).addingRelaxedProduct(residual, w) * scale
      let m = (AdamRates.beta1 * firstMoments.line(at: i))
        .addingRelaxedProduct(LineVector(repeating: 1 - AdamRates.beta1), g)
      let v = (AdamRates.beta2 * secondMoments.line(at: i))
        .addingRelaxedProduct(LineVector(repeating: 1 - AdamRates.beta2), g * g)
      let root = v.squareRoot() * rates.rootFactor + AdamRates.epsilon
      firstMoments.store(m, at: i)
      secondMoments.store(v, at: i)
      weights.store(w - rates.stepSize * m / root, at: i)
    }
  }
}

/// `halfSquares[k] = sum_d w[k, d]² / 2`.
///
/// Writes (`=`); allocates nothing.
///
/// - Parameters:
///   - weights: `[blocks][classes][32]`.
///   - halfSquares: `[classes]`.
///   - scratch: 16 elements for each class.
public func sumHalfSquares(
  _ weights: UnsafePointer<Float>, blocks: Int, classes: Int,
  into halfSquares: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  scratch.update(repeating: 0, count: classes * LineVector.scalarCount)
  for row in 0..<blocks &* classes {
    for half in 0..<blockWidth / LineVector.scalarCount {
      let w = weights.line(at: row &* blockWidth &+ half &* LineVector.scalarCount)
      addLine(0.5 * w * w, to: scratch, class: row % classes)
    }
  }
  sumLines(scratch, classes: classes, into: halfSquares)
}
