/// Confidences and correctness of predictions, in bins of equal width (Naeini et al., "Obtaining Well
/// Calibrated Probabilities Using Bayesian Binning", AAAI 2015).
///
///     error = sum_b count_b / n |accuracy_b - confidence_b|
///
/// Bin b holds the confidences from b / bins up to (b + 1) / bins; the last one holds 1, too.
public struct CalibrationBins: Sendable, Equatable {
  public var counts: [Int]
  /// Mean confidence of each bin; 0 for an empty one.
  public var confidences: [Double]
  /// Share of correct predictions of each bin; 0 for an empty one.
  public var accuracies: [Double]
  /// Expected calibration error, `0...1`.
  public var error: Double

  /// - Parameters:
  ///   - confidences: `count` values in `0...1`; `count >= 1`.
  ///   - isCorrect: `count` values, of which 0 means a wrong prediction.
  ///   - bins: `>= 1`.
  public init(
    _ confidences: UnsafePointer<Double>, isCorrect: UnsafePointer<UInt8>, count: Int, bins: Int
  ) {
    counts = [Int](repeating: 0, count: bins)
    self.confidences = [Double](repeating: 0, count: bins)
    accuracies = [Double](repeating: 0, count: bins)
    for i in 0..<count {
      let bin = min(Int(confidences[i] * Double(bins)), bins - 1)
      counts[bin] += 1
      self.confidences[bin] += confidences[i]
      accuracies[bin] += isCorrect[i] == 0 ? 0 : 1
    }
    error = 0
    for bin in 0..<bins where counts[bin] > 0 {
      error += abs(accuracies[bin] - self.confidences[bin]) / Double(count)
      self.confidences[bin] /= Double(counts[bin])
      accuracies[bin] /= Double(counts[bin])
    }
  }
}
