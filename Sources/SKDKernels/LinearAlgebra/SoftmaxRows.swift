import CLibrary

/// `output[n, k] = exp(logits[n, k] / t) / sum_k exp(logits[n, k] / t)` at the temperature t.
///
/// Writes (`=`) `output`, which may be `logits`; allocates nothing. The largest logit of a row is
/// subtracted first: no exponential overflows.
///
/// - Parameters:
///   - logits: `[rows, classes]`, not padded.
///   - classes: `>= 1`.
///   - temperature: Positive and finite.
public func softmaxRows(
  _ logits: UnsafePointer<Double>, rows: Int, classes: Int, temperature: Double = 1,
  into output: UnsafeMutablePointer<Double>
) {
  for n in 0..<rows {
    let (row, result) = (logits + n * classes, output + n * classes)
    var (maximum, sum) = (-Double.infinity, 0.0)
    for k in 0..<classes { maximum = max(maximum, row[k]) }
    for k in 0..<classes {
      result[k] = exp((row[k] - maximum) / temperature)
      sum += result[k]
    }
    for k in 0..<classes { result[k] /= sum }
  }
}
