/// The exponentials of a row of logits, from which its softmax follows:
///
///     exponential[c] = exp((logits[c] - largest) / T),   softmax[c] = exponential[c] / sum
struct SoftmaxRow {
  /// Exponentials that `kept` holds: as many as the stack takes. More are computed twice.
  static let keptCount = 128

  private let logits: UnsafePointer<Float>
  private let inverseTemperature: Double
  private let kept: UnsafeMutablePointer<Double>
  let largest: Double
  /// Sum of the exponentials.
  let sum: Double
  private let inverseSum: Double

  /// - Parameter kept: `keptCount` elements; overwritten, and read while the row is used.
  @inline(__always)
  init(
    _ logits: UnsafePointer<Float>, classes: Int, inverseTemperature: Double = 1,
    kept: UnsafeMutablePointer<Double>
  ) {
    let largest = logits.largest(classes)
    var sums = DoubleVector()
    forEachLogitVector(classes) { c, lanes in
      let z = logits.doubles(at: c, lanes: lanes, padding: -.infinity)
      let exponentials = exponential((z - largest) * inverseTemperature)
      if c < Self.keptCount { store(exponentials, at: kept + c) }
      sums += exponentials
    }
    self.logits = logits
    self.inverseTemperature = inverseTemperature
    self.kept = kept
    self.largest = largest
    sum = sums.sum()
    inverseSum = 1 / sum
  }

  /// (logits - largest) / T of eight classes; minus infinity in lanes beyond `lanes`.
  @inline(__always)
  func exponents(at c: Int, lanes: Int) -> DoubleVector {
    (logits.doubles(at: c, lanes: lanes, padding: -.infinity) - largest) * inverseTemperature
  }

  /// The softmax of eight classes; 0 in lanes beyond `lanes`.
  @inline(__always)
  func probabilities(at c: Int, lanes: Int) -> DoubleVector {
    let isKept = c < Self.keptCount
    let exponentials = isKept ? vector(kept + c) : exponential(exponents(at: c, lanes: lanes))
    return exponentials * inverseSum
  }
}

/// Calls `body` with memory for the exponentials of a row.
@inline(__always)
func withKeptExponentials<Result>(_ body: (UnsafeMutablePointer<Double>) -> Result) -> Result {
  withUnsafeTemporaryAllocation(of: Double.self, capacity: SoftmaxRow.keptCount) {
    body($0.baseAddress.unsafelyUnwrapped)
  }
}
