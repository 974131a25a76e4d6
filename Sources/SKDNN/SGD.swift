import SKDKernels
import SKDRuntime

/// Stochastic gradient descent with momentum, over the parameters of one store.
///
///     v = momentum * v + (gradient + weightDecay * parameter);  parameter -= learningRate * v
///
/// Every parameter decays, biases and batch norms too. One without a gradient is left alone.
public final class SGD {
  public var learningRate: Float
  public let momentum: Float
  public let weightDecay: Float
  private let store: ParameterStore
  /// Starts at zero, which makes the first step v = gradient + weightDecay * parameter.
  private let velocity: AlignedBuffer<Float>

  /// - Throws: `SKDError.invalidArgument`, `SKDError.outOfMemory`.
  public init(
    _ store: ParameterStore, learningRate: Float, momentum: Float, weightDecay: Float
  ) throws {
    for (name, value) in [("learningRate", learningRate), ("weightDecay", weightDecay)] {
      try require(
        value.isFinite && value >= 0, name, of: "SGD", "be finite and >= 0", got: "\(value)")
    }
    try require(
      (0..<1).contains(momentum), "momentum", of: "SGD", "be in [0, 1)", got: "\(momentum)")
    (self.learningRate, self.momentum, self.weightDecay) = (learningRate, momentum, weightDecay)
    self.store = store
    velocity = try AlignedBuffer(count: store.parameterStorageCount, ledger: store.ledger)
  }

  /// Moves every parameter that has a gradient.
  public func step() {
    for range in store.gradientRanges() {
      sgdStep(
        parameter: store.parameters.pointer + range.lowerBound,
        gradient: store.gradients.pointer + range.lowerBound,
        velocity: velocity.pointer + range.lowerBound, count: range.count,
        learningRate: learningRate, momentum: momentum, weightDecay: weightDecay,
        isFirstStep: false)
    }
    store.markChanged()
    (bounds, boundedVersion, boundsAfterStep) = (boundsAfterStep, store.version, nil)
  }

  /// The velocity of a parameter, in the order of its values.
  public func velocity(of entry: StateEntry) -> UnsafePointer<Float> {
    precondition(entry.kind == .parameter)
    return UnsafePointer(velocity.pointer + entry.offset)
  }

  /// Replaces the velocity of a parameter by values in C order of its shape.
  public func setVelocity(of entry: StateEntry, to values: UnsafePointer<Float>) {
    precondition(entry.kind == .parameter)
    let target = velocity.pointer + entry.offset
    entry.forEachElement { position, offset in target[offset] = values[position] }
    bounds = nil
  }

  // MARK: Before a step

  /// The largest magnitude of all gradients; not finite if one of them is not.
  public func largestGradient() -> Float {
    store.gradientRanges().reduce(0) {
      let largest = largestMagnitude(store.gradients.pointer + $1.lowerBound, count: $1.count)
      return $0.isFinite && largest.isFinite ? max($0, largest) : .nan
    }
  }

  /// Whether `step` would leave every parameter and velocity finite. Changes nothing.
  ///
  /// The bounds of the step before decide it nearly always, without a look at the parameters.
  ///
  /// - Parameter largestGradient: As `largestGradient` returned it; finite.
  public func stepIsFinite(largestGradient: Float) -> Bool {
    precondition(largestGradient.isFinite)
    let known = store.version == boundedVersion ? bounds : nil
    boundsAfterStep =
      known.flatMap { moved($0, largestGradient) } ?? moved(measuredBounds(), largestGradient)
    return boundsAfterStep != nil || everyStepIsFinite()
  }

  /// Bounds of the magnitudes of all parameters and velocities.
  private struct Bounds {
    let parameter, velocity: Double
  }

  /// Bounds of the state whose version is `boundedVersion`; nil if they are unknown.
  private var bounds: Bounds?
  private var boundedVersion = 0
  private var boundsAfterStep: Bounds?

  private func measuredBounds() -> Bounds {
    let parameters = store.parameters
    return Bounds(
      parameter: Double(largestMagnitude(parameters.pointer, count: parameters.capacity)),
      velocity: Double(largestMagnitude(velocity.pointer, count: velocity.capacity)))
  }

  /// The bounds after a step; nil if they do not exclude an overflow. Half of the largest float is
  /// left for rounding.
  private func moved(_ bounds: Bounds, _ largestGradient: Float) -> Bounds? {
    let velocity =
      Double(momentum) * bounds.velocity + Double(largestGradient)
      + Double(weightDecay) * bounds.parameter
    let parameter = bounds.parameter + Double(learningRate) * velocity
    let limit = Double(Float.greatestFiniteMagnitude) / 2
    return velocity <= limit && parameter <= limit
      ? Bounds(parameter: parameter, velocity: velocity) : nil
  }

  private func everyStepIsFinite() -> Bool {
    store.gradientRanges().allSatisfy {
      sgdStepIsFinite(
        parameter: store.parameters.pointer + $0.lowerBound,
        gradient: store.gradients.pointer + $0.lowerBound,
        velocity: velocity.pointer + $0.lowerBound, count: $0.count, learningRate: learningRate,
        momentum: momentum, weightDecay: weightDecay)
    }
  }
}
