import SKDKernels
import SKDRuntime

/// Linear support vector machines, one against the rest, as scikit-learn's (liblinear's) with the
/// squared hinge.
///
///     objective_k = (||w_k||² + b_k²) / 2 + C sum_n max(0, 1 - t_nk (w_k x_n + b_k))²,  t_nk = ±1
///
/// The intercept is penalised, as the coefficient of a feature that is 1. `SquaredHinge` minimises
/// the objectives of a few classes, `LargeHinge` of many.
///
/// The object owns the memory of a fit, for features of one extent, and can be fitted again.
public final class LinearSVC: LinearClassifier {
  public let rows: Int
  public let dimensions: Int
  public let classes: Int
  /// Length of a row of `coefficients`, zero padding included.
  public let featureLength: Int

  private enum Solver {
    case small(SmallSVC)
    case large(LargeHinge)
  }

  private let solver: Solver
  private let fitted: AlignedBuffer<Double>  // [classes, featureLength], then intercepts

  /// - Parameters:
  ///   - rows: Samples of a fit, `>= 1`.
  ///   - dimensions: Features of a sample, `>= 1`.
  ///   - classes: `>= 1`.
  ///   - workers: Most classes that are solved at once, each on a thread and in memory of its own;
  ///     `>= 1`. The result does not depend on it.
  /// - Throws: `SKDError.outOfMemory`.
  public init(
    rows: Int, dimensions: Int, classes: Int, workers: Int = WorkerPool.shared.threadCount
  ) throws {
    self.rows = rows
    self.dimensions = dimensions
    self.classes = classes
    featureLength = paddedRowLength(dimensions)
    solver =
      isLargeFit(rows: rows, dimensions: dimensions, classes: classes)
      ? .large(
        try LargeHinge(
          rows: rows, dimensions: dimensions, classes: Self.solved(of: classes).count,
          workers: workers))
      : .small(try SmallSVC(rows: rows, dimensions: dimensions))
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
    let solved = Self.solved(of: classes)
    let outcome: FitOutcome
    switch solver {
    case .small(let machines):
      outcome = machines.fit(features, labels: labels, classes: solved, options, write: write)
    case .large(let machines):
      outcome = machines.fit(features, labels: labels, classes: solved, options, write: write)
    }
    if classes == 2 {
      scale(
        coefficients + featureLength, by: -1, length: featureLength, into: fitted.pointer)
      interceptPointer[0] = -interceptPointer[1]
    }
    return outcome
  }

  /// With two classes, one's problem is the mirror image of the other's.
  private static func solved(of classes: Int) -> Range<Int> { classes == 2 ? 1..<2 : 0..<classes }

  private func write(_ k: Int, _ coefficients: UnsafePointer<Double>) {
    (fitted.pointer + k * featureLength).update(from: coefficients, count: dimensions)
    interceptPointer[k] = coefficients[dimensions]
  }
}
