import SKDKernels
import SKDRuntime

/// Multinomial logistic regression with an L2 penalty, as scikit-learn defines it.
///
///     objective = sum_n CE(W x_n + b, label_n) + 1 / (2 C) ||W||²          // b is free
///
/// The object owns the memory of a fit, for features of one extent, and can be fitted again.
/// The result does not depend on earlier fits. `SmallLogistic` fits a few classes, `LargeLogistic` many.
public final class LogisticRegression: LinearClassifier {
  public let rows: Int
  public let dimensions: Int
  public let classes: Int

  /// Length of a row of `coefficients`, zero padding included.
  public let featureLength: Int

  private enum Solver {
    case small(SmallLogistic)
    case large(LargeLogistic)
  }

  private let solver: Solver
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
    solver =
      Self.isLarge(rows: rows, dimensions: dimensions, classes: classes)
      ? .large(try LargeLogistic(rows: rows, dimensions: dimensions, classes: classes))
      : .small(try SmallLogistic(rows: rows, dimensions: dimensions, classes: classes))
    fitted = try AlignedBuffer(count: classes * featureLength + paddedRowLength(classes))
  }

  /// Whether the factorisation of a large fit is paid back: iterations of L-BFGS cost nothing before,
  /// but more for each class. The factor 75 is measured.
  static func isLarge(rows: Int, dimensions: Int, classes: Int) -> Bool {
    let (least, most) = (min(rows, dimensions), max(rows, dimensions))
    return classes > 1 && isLargeFit(rows: rows, dimensions: dimensions, classes: classes)
      && Double(least) * Double(least + most) <= 75 * Double(classes) * Double(most)
  }

  /// `[classes, featureLength]`, of which the first `dimensions` columns count; valid while the
  /// object lives.
  public var coefficients: UnsafePointer<Double> { UnsafePointer(fitted.pointer) }

  /// `[classes]`; they sum to 0. Valid while the object lives.
  public var intercepts: UnsafePointer<Double> { UnsafePointer(interceptPointer) }

  private var interceptPointer: UnsafeMutablePointer<Double> {
    fitted.pointer + classes * featureLength
  }

  /// Fits to a labelled set.
  ///
  /// - Parameters:
  ///   - features: `[rows, dimensions]`, finite.
  ///   - labels: `rows` classes in `0..<classes`, every class at least once (without one, the
  ///     objective has no minimum).
  /// - Returns: A fit that is not converged ended at the limit of iterations, or where rounding hides
  ///   any further descent.
  public func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>,
    _ options: FitOptions = FitOptions()
  ) -> FitOutcome {
    let outcome: FitOutcome
    switch solver {
    case .small(let regression):
      outcome = regression.fit(
        features, labels: labels, options, coefficients: fitted.pointer,
        intercepts: interceptPointer)
    case .large(let regression):
      outcome = regression.fit(
        features, labels: labels, options, coefficients: fitted.pointer,
        intercepts: interceptPointer)
    }
    let mean = (0..<classes).reduce(0) { $0 + interceptPointer[$1] } / Double(classes)
    for k in 0..<classes { interceptPointer[k] -= mean }
    return outcome
  }
}
