/// The mean of a sample and the uncertainty of that mean.
public struct ConfidenceInterval: Sendable, Equatable {
  public var mean: Double
  /// Half of the width of the 95 % interval; nil for a single value, which tells nothing of it.
  public var halfWidth: Double?

  /// The interval of Student's t:
  ///
  ///     halfWidth = t(0.975, n - 1) s / sqrt(n),   s² = sum (x - mean)² / (n - 1)
  ///
  /// - Parameter values: At least one, finite.
  /// - Complexity: O(count).
  public init(of values: UnsafeBufferPointer<Double>) {
    precondition(!values.isEmpty)
    // Scaled by a power of two, which rounds nothing, so that sums and squares cannot overflow.
    let largest = values.reduce(0) { max($0, $1.magnitude) }
    let scale = largest > 0 ? largest.binade : 1
    let scaled = values.lazy.map { $0 / scale }
    let scaledMean = SKDFewShot.mean(of: scaled)
    mean = scaledMean * scale
    guard values.count > 1 else { return }
    let count = Double(values.count)
    let squares = scaled.reduce(0) { $0 + ($1 - scaledMean) * ($1 - scaledMean) }
    let deviation = (squares / (count - 1)).squareRoot()
    let quantile = studentQuantile95(degreesOfFreedom: values.count - 1)
    halfWidth = quantile * deviation / count.squareRoot() * scale
  }
}
