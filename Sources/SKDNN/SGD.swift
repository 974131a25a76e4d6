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
    for (name, value) in [("learning_rate", learningRate), ("weight_decay", weightDecay)] {
      try require(
        value.isFinite && value >= 0, "\(name) of SGD must be finite and >= 0; got \(value)")
    }
    try require(
      (0..<1).contains(momentum), "momentum of SGD must be in [0, 1); got \(momentum)")
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
  }

  /// The velocity of a parameter, in the order of its values.
  public func velocity(of entry: StateEntry) -> UnsafeMutablePointer<Float> {
    precondition(entry.kind == .parameter)
    return velocity.pointer + entry.offset
  }

  /// Whether every gradient is finite.
  public func gradientsAreFinite() -> Bool {
    store.gradientRanges().allSatisfy {
      allFinite(store.gradients.pointer + $0.lowerBound, count: $0.count)
    }
  }
}
