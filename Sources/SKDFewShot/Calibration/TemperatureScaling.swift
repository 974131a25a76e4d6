import CLibrary

/// The temperature of a classifier's probabilities, softmax(scores / temperature) (Guo et al., "On
/// Calibration of Modern Neural Networks", arXiv:1706.04599), from its support set alone.
///
/// Scores of different heads, shots and copies have different scales, so the temperature is sought
/// as temperature = margin / k, where `margin` is the mean margin of the classifier's own examples
/// (`LeaveOneOut.margin`). With the scores z_n of examples that classifiers were fitted without, in
/// units of the margins of these classifiers,
///
///     objective(k) = sum_n CE(softmax(k z_n), label_n) + strength / 2 (log k - log prior)²
///
/// The second term is a normal prior of log k with variance 1 / strength: with one example of each
/// class the prior is the result, and many examples outweigh it.
public struct TemperatureScaling {
  /// Positive and finite.
  public var prior: Double
  /// `>= 0`.
  public var strength: Double

  /// The minimum is sought within this distance of log prior.
  static let reach = 8.0
  private static let steps = 128
  private static let refinements = 60  // each narrows the interval to 0.618 of its length

  public init(prior: Double, strength: Double) {
    self.prior = prior
    self.strength = strength
  }

  /// The temperature of a classifier that is fitted to a support set; 1 if its scores do not tell the
  /// classes of its own examples apart.
  ///
  /// - Throws: `SKDError.outOfMemory`.
  public func temperature(of kind: FewShotClassifier.Kind, on support: LeaveOneOut) throws -> Double
  {
    let margin = try support.margin(of: kind)
    guard margin > 0 && margin.isFinite else { return 1 }
    let held = try support.heldOut(with: kind).filter { $0.margin > 0 && $0.margin.isFinite }
    let sharpness = sharpness(
      of: held.map { held in held.scores.map { $0 / held.margin } }, labels: held.map(\.label))
    return margin / sharpness
  }

  /// The k with the least objective, between e^-8 and e^8 times the prior.
  ///
  /// - Parameters:
  ///   - scores: A score for each class, of each example; none of them NaN.
  ///   - labels: The class of each example.
  /// - Complexity: O(examples · classes).
  func sharpness(of scores: [[Double]], labels: [Int]) -> Double {
    func objective(_ shift: Double) -> Double {
      let penalty = strength / 2 * shift * shift
      let k = prior * exp(shift)
      return zip(scores, labels).reduce(penalty) { $0 + crossEntropy($1.0, $1.1, k) }
    }
    // The objective can have several minima in log k: a grid finds the neighbourhood of the least.
    let width = 2 * Self.reach / Double(Self.steps)
    var best = (shift: 0.0, value: objective(0))
    for step in 0...Self.steps {
      let shift = Double(step) * width - Self.reach
      let value = objective(shift)
      if value < best.value { best = (shift, value) }
    }
    let shift = goldenSection(
      from: max(best.shift - width, -Self.reach), to: min(best.shift + width, Self.reach),
      objective)
    return prior * exp(objective(shift) < best.value ? shift : best.shift)
  }

  private func goldenSection(from: Double, to: Double, _ value: (Double) -> Double) -> Double {
    let ratio = (5.0.squareRoot() - 1) / 2
    var (low, high) = (from, to)
    var inner = (low: high - ratio * (high - low), high: low + ratio * (high - low))
    var values = (low: value(inner.low), high: value(inner.high))
    for _ in 0..<Self.refinements {
      if values.low <= values.high {
        (high, inner.high, values.high) = (inner.high, inner.low, values.low)
        inner.low = high - ratio * (high - low)
        values.low = value(inner.low)
      } else {
        (low, inner.low, values.low) = (inner.low, inner.high, values.high)
        inner.high = low + ratio * (high - low)
        values.high = value(inner.high)
      }
    }
    return (low + high) / 2
  }
}

/// -log softmax(k · scores)[label]; the largest score is subtracted first.
private func crossEntropy(_ scores: [Double], _ label: Int, _ k: Double) -> Double {
  let largest = scores.reduce(-.infinity, max)
  let sum = scores.reduce(0) { $0 + exp(($1 - largest) * k) }
  return log(sum) - (scores[label] - largest) * k
}
