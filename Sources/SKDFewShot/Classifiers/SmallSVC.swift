import SKDKernels
import SKDRuntime

/// The memory and the method of a small `LinearSVC`: class by class, on one thread.
final class SmallSVC {
  private let rows: Int
  private let dimensions: Int
  private let featureLength: Int
  private let sampleLength: Int
  private let usesSamples: Bool
  private let features: AlignedBuffer<Double>  // [rows, featureLength]
  private let target: AlignedBuffer<Double>  // [sampleLength]
  private let weight: AlignedBuffer<Double>  // coefficients, then the intercept
  private let hinge: SquaredHinge

  /// - Throws: `SKDError.outOfMemory`.
  init(rows: Int, dimensions: Int) throws {
    self.rows = rows
    self.dimensions = dimensions
    featureLength = paddedRowLength(dimensions)
    sampleLength = paddedRowLength(rows)
    usesSamples = rows <= dimensions
    features = try AlignedBuffer(count: rows * featureLength)
    target = try AlignedBuffer(count: sampleLength)
    weight = try AlignedBuffer(count: featureLength + 1)
    hinge = try SquaredHinge(
      samples: rows, unknowns: usesSamples ? .samples : .coefficients(dimensions + 1))
  }

  /// Fits some classes, and calls `write` for each with its coefficients and, after them, its
  /// intercept.
  func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, classes: Range<Int>,
    _ options: FitOptions, write: (_ k: Int, _ coefficients: UnsafePointer<Double>) -> Void
  ) -> FitOutcome {
    for n in 0..<rows {
      widen(
        features + n * dimensions, count: dimensions,
        into: self.features.pointer + n * featureLength)
    }
    let basis = hinge.basis
    if usesSamples {
      multiplyByTranspose(
        self.features.pointer, aRows: rows, self.features.pointer, bRows: rows,
        length: featureLength, outputLength: sampleLength, into: basis)
      for n in 0..<rows { for m in 0..<rows { basis[n * sampleLength + m] += 1 } }
    } else {
      transpose(
        self.features.pointer, rows: rows, columns: dimensions, length: featureLength,
        outputLength: sampleLength, into: basis)
      (basis + dimensions * sampleLength).update(repeating: 1, count: rows)
    }
    var outcome = FitOutcome(iterations: 0, isConverged: true)
    for k in classes {
      let own = fit(class: k, labels, options)
      outcome.iterations = max(outcome.iterations, own.iterations)
      outcome.isConverged = outcome.isConverged && own.isConverged
      write(k, weight.pointer)
    }
    return outcome
  }

  private func fit(class k: Int, _ labels: UnsafePointer<Int64>, _ options: FitOptions)
    -> FitOutcome
  {
    for n in 0..<rows { target.pointer[n] = labels[n] == Int64(k) ? 1 : -1 }
    let outcome = hinge.minimize(target: target.pointer, options)
    let weight = weight.pointer
    if usesSamples {
      combineRows(
        hinge.point, aRows: 1, aLength: sampleLength, features.pointer, bRows: rows,
        length: featureLength, into: weight)
      weight[dimensions] = (0..<rows).reduce(0) { $0 + hinge.point[$1] }
    } else {
      weight.update(from: hinge.point, count: dimensions + 1)
    }
    return outcome
  }
}
