import SKDRuntime
import Synchronization

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
  let update = Update(
    learningRate: learningRate, momentum: momentum, weightDecay: weightDecay,
    isFirstStep: isFirstStep)
  forEachChunk(of: count) { start, end in
    let (p, g, v) = (parameter + start, gradient + start, velocity + start)
    forEachVector(end - start) { i, lanes in
      let moved = update.moved(p, g, v, at: i, lanes: lanes)
      v.store(moved.velocity, at: i, lanes: lanes)
      p.store(moved.parameter, at: i, lanes: lanes)
    }
  }
}

/// Whether `sgdStep` with the same arguments, not the first step, would leave every parameter and
/// velocity finite. Changes nothing.
///
/// - Complexity: O(count); allocates nothing.
public func sgdStepIsFinite(
  parameter: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
  velocity: UnsafePointer<Float>, count: Int, learningRate: Float, momentum: Float,
  weightDecay: Float
) -> Bool {
  let update = Update(
    learningRate: learningRate, momentum: momentum, weightDecay: weightDecay, isFirstStep: false)
  let isFinite = Atomic<Bool>(true)
  forEachChunk(of: count) { start, end in
    let (p, g, v) = (parameter + start, gradient + start, velocity + start)
    var sum = Vector(repeating: 0)
    forEachVector(end - start) { i, lanes in
      // A value is finite exactly if its product with zero is zero.
      let moved = update.moved(p, g, v, at: i, lanes: lanes)
      sum += moved.velocity * 0
      sum += moved.parameter * 0
    }
    if sum != Vector(repeating: 0) { isFinite.store(false, ordering: .relaxed) }
  }
  return isFinite.load(ordering: .relaxed)
}

/// The formula of a step, on one vector.
private struct Update {
  let rate, momentum, decay: Vector
  let isFirstStep: Bool

  init(learningRate: Float, momentum: Float, weightDecay: Float, isFirstStep: Bool) {
    rate = Vector(repeating: -learningRate)
    self.momentum = Vector(repeating: momentum)
    decay = Vector(repeating: weightDecay)
    self.isFirstStep = isFirstStep
  }

  @inline(__always)
  func moved(
    _ parameter: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
    _ velocity: UnsafePointer<Float>, at i: Int, lanes: Int
  ) -> (parameter: Vector, velocity: Vector) {
    let value = parameter.vector(at: i, lanes: lanes)
    var direction = gradient.vector(at: i, lanes: lanes).addingRelaxedProduct(decay, value)
    if !isFirstStep { direction.addRelaxedProduct(momentum, velocity.vector(at: i, lanes: lanes)) }
    return (value.addingRelaxedProduct(rate, direction), direction)
  }
}
