#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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
      let floor = base * factor * factor * factor
      return floor + (base - floor) * (1 + cos(.pi * Double(epoch) / Double(epochs))) / 2
    }
  }
}
