import CLibrary

/// The learning rate as a function of the epoch.
public enum LearningRateSchedule: Equatable, Sendable {
  /// base · factor^(number of milestones < epoch): the rate drops *after* a milestone.
  case step(base: Double, factor: Double, milestones: [Int])
  /// floor + (base - floor)(1 + cos(π epoch / epochs)) / 2, with floor = base · factor^3.
  case cosine(base: Double, factor: Double, epochs: Int)

  /// The rate during `epoch`; the first epoch is 1.
  ///
  /// - Complexity: O(milestones).
  public func rate(epoch: Int) -> Double {
    switch self {
    case .step(let base, let factor, let milestones):
      return base * pow(factor, Double(milestones.count { $0 < epoch }))
    case .cosine(let base, let factor, let epochs):
      precondition(epochs >= 1)
      return cosineRate(base: base, factor: factor, angle: .pi * Double(epoch) / Double(epochs))
    }
  }
}

/// The learning rate as a function of the step: a linear rise, then half a cosine wave (L. Smith and
/// N. Topin, "Super-convergence", arXiv:1708.07120, with the cosine of later practice).
///
///     rate(t) = base · t / warmup                                              // t < warmup
///     rate(t) = floor + (base - floor)(1 + cos(π (t - warmup) / (epochs - warmup))) / 2
///     floor = base · factor^3
public struct OneCycleSchedule: Equatable, Sendable {
  public let base: Double
  public let factor: Double
  /// Length of the training.
  public let epochs: Double
  /// Length of the rise, in epochs, below `epochs`.
  public let warmup: Double

  public init(base: Double, factor: Double, epochs: Double, warmup: Double) {
    precondition(warmup >= 0 && warmup < epochs)
    (self.base, self.factor, self.epochs, self.warmup) = (base, factor, epochs, warmup)
  }

  /// The rate after `progress` epochs, `0...epochs`.
  public func rate(progress: Double) -> Double {
    if progress < warmup { return base * progress / warmup }
    let angle = .pi * (progress - warmup) / (epochs - warmup)
    return cosineRate(base: base, factor: factor, angle: angle)
  }
}

/// Half a cosine wave from `base` at angle 0 to base · factor^3 at π.
private func cosineRate(base: Double, factor: Double, angle: Double) -> Double {
  let floor = base * factor * factor * factor
  return floor + (base - floor) * (1 + cos(angle)) / 2
}
