/// The terms of one training step. Those that an objective lacks are 0; accuracies are fractions.
public struct Losses: Equatable, Sendable {
  public var total: Float = 0
  public var crossEntropy: Float = 0
  public var rotation: Float = 0
  public var distillation: Float = 0
  /// Mean over the chosen twins.
  public var twin: Float = 0
  /// Accuracy of the class; for generation 1, on the upright images.
  public var accuracy: Float = 0
  public var rotationAccuracy: Float = 0

  public init() {}
}
