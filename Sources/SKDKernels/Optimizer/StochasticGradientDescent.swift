import SKDRuntime

/// One step of stochastic gradient descent with momentum and L2 weight decay, as PyTorch's.
///
///     g = gradient + weightDecay * parameter
///     velocity = isFirstStep ? g : momentum * velocity + g
///     parameter -= learningRate * velocity
///
/// - Parameters:
///   - parameter: `count` elements; updated.
///   - gradient: `count` elements. Must not overlap the others.
///   - velocity: `count` elements; updated, and not read in the first step.
/// - Complexity: O(count); allocates nothing.
public func sgdStep(
  parameter: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
  velocity: UnsafeMutablePointer<Float>, count: Int, learningRate: Float, momentum: Float,
  weightDecay: Float, isFirstStep: Bool
) {
  let decay = SIMD16<Float>(repeating: weightDecay)
  let rate = SIMD16<Float>(repeating: -learningRate)
  let momentum = SIMD16<Float>(repeating: momentum)
  forEachChunk(of: count) { start, end in
    let (p, g, v) = (parameter + start, gradient + start, velocity + start)
    forEachVector(end - start) { i, lanes in
      let value = p.vector(at: i, lanes: lanes)
      var direction = g.vector(at: i, lanes: lanes).addingRelaxedProduct(decay, value)
      if !isFirstStep { direction.addRelaxedProduct(momentum, v.vector(at: i, lanes: lanes)) }
      v.store(direction, at: i, lanes: lanes)
      p.store(value.addingRelaxedProduct(rate, direction), at: i, lanes: lanes)
    }
  }
}
