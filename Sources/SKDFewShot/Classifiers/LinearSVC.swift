import SKDKernels
import SKDRuntime

/// Linear support vector machines, one against the rest, as scikit-learn's (liblinear's) with the
/// squared hinge.
///
///     objective_k = (||w_k||² + b_k²) / 2 + C sum_n max(0, 1 - t_nk (w_k x_n + b_k))²,  t_nk = ±1
///
/// The intercept is penalised, as the coefficient of a feature that is 1. `SquaredHinge` minimises.
///
/// The object owns the memory of a fit, for features of one extent, and can be fitted again.
public final class LinearSVC: LinearClassifier {
  public let rows: Int
  public let dimensions: Int
  public let classes: Int
  /// Length of a row of `coefficients`, zero padding included.
  public let featureLength: Int

  private let sampleLength: Int
  private let usesSamples: Bool
  private let features: AlignedBuffer<Double>  // [rows, featureLength]
  private let target: AlignedBuffer<Double>  // [sampleLength]
  private let hinge: SquaredHinge
  private let fitted: AlignedBuffer<Double>  // [classes, featureLength], then intercepts

  /// - Parameters:
  ///   - rows: Samples of a fit, `>= 1`.
  ///   - dimensions: Features of a sample, `>= 1`.
  ///   - classes: `>= 1`.
  /// - Throws: `SKDError.outOfMemory`.
  public init(rows: Int, dimensions: Int, classes: Int) throws {
    self.rows = rows
    self.dimensions = dimensions
    self.classes = classes
    featureLength = paddedRowLength(dimensions)
    sampleLength = paddedRowLength(rows)
    usesSamples = rows <= dimensions
    features = try AlignedBuffer(count: rows * featureLength)
    target = try AlignedBuffer(count: sampleLength)
    hinge = try SquaredHinge(
      samples: rows, unknowns: usesSamples ? .samples : .coefficients(dimensions + 1))
    fitted = try AlignedBuffer(count: classes * featureLength + classes)
  }

  /// `[classes, featureLength]`, of which the first `dimensions` columns count; valid while the
  /// object lives.
  public var coefficients: UnsafePointer<Double> { UnsafePointer(fitted.pointer) }

  /// `[classes]`. Valid while the object lives.
  public var intercepts: UnsafePointer<Double> { UnsafePointer(interceptPointer) }

  private var interceptPointer: UnsafeMutablePointer<Double> {
    fitted.pointer + classes * featureLength
  }

  /// Fits to a labelled set.
  ///
  /// - Parameters:
  ///   - features: `[rows, dimensions]`, finite.
  ///   - labels: `rows` classes in `0..<classes`.
  /// - Returns: The largest number of iterations that a class took. A fit that is not converged ended
  ///   at their limit.
  public func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>,
    _ options: FitOptions = FitOptions()
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
    // With two classes, one's problem is the mirror image of the other's.
    let solved = classes == 2 ? 1..<2 : 0..<classes
    var outcome = FitOutcome(iterations: 0, isConverged: true)
    for k in solved {
      let own = fit(class: k, labels, options)
      outcome.iterations = max(outcome.iterations, own.iterations)
      outcome.isConverged = outcome.isConverged && own.isConverged
    }
    if classes == 2 {
      scale(
        coefficients + featureLength, by: -1, length: featureLength, into: fitted.pointer)
      interceptPointer[0] = -interceptPointer[1]
    }
    return outcome
  }

  private func fit(class k: Int, _ labels: UnsafePointer<Int64>, _ options: FitOptions)
    -> FitOutcome
  {
    for n in 0..<rows { target.pointer[n] = labels[n] == Int64(k) ? 1 : -1 }
    let outcome = hinge.minimize(target: target.pointer, options)
    let weight = fitted.pointer + k * featureLength
    if usesSamples {
      combineRows(
        hinge.point, aRows: 1, aLength: sampleLength, features.pointer, bRows: rows,
        length: featureLength, into: weight)
      interceptPointer[k] = (0..<rows).reduce(0) { $0 + hinge.point[$1] }
    } else {
      weight.update(from: hinge.point, count: dimensions)
      interceptPointer[k] = hinge.point[dimensions]
    }
    return outcome
  }
}
