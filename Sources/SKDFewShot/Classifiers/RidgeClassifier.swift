import SKDKernels
import SKDRuntime

/// Ridge regression of the classes, one against the rest, as scikit-learn's `RidgeClassifier`.
///
///     objective_k = sum_n (w_k x_n + b_k - t_nk)² + alpha ||w_k||²,   t_nk = ±1     // b is free
///
/// With centred samples and targets the intercept drops out. The remaining equations are solved in
/// the smaller of two forms, for all classes at once: (XᵀX + alpha) w = Xᵀt for the dimensions, or
/// (XXᵀ + alpha) a = t, w = Xᵀa, for the samples.
///
/// The object owns the memory of a fit, for features of one extent, and can be fitted again.
public final class RidgeClassifier: LinearClassifier {
  public let rows: Int
  public let dimensions: Int
  public let classes: Int
  /// Length of a row of `coefficients`, zero padding included.
  public let featureLength: Int

  private enum Solver {
    case small(SmallRidge)
    case large(LargeRidge)
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
      isLargeFit(rows: rows, dimensions: dimensions, classes: classes)
      ? .large(try LargeRidge(rows: rows, dimensions: dimensions, classes: classes))
      : .small(try SmallRidge(rows: rows, dimensions: dimensions, classes: classes))
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
  ///   - alpha: Strength of the penalty, positive. One below the rounding of XXᵀ acts as that.
  /// - Complexity: O(rows · dimensions · min(rows, dimensions)); allocates nothing.
  public func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, alpha: Double
  ) {
    switch solver {
    case .small(let ridge):
      ridge.fit(
        features, labels: labels, alpha: alpha, coefficients: fitted.pointer,
        intercepts: interceptPointer)
    case .large(let ridge):
      ridge.fit(
        features, labels: labels, alpha: alpha, coefficients: fitted.pointer,
        intercepts: interceptPointer)
    }
  }
}
