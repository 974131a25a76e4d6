import SKDKernels
import SKDRuntime

/// Multinomial logistic regression with an L2 penalty, as scikit-learn defines it.
///
///     objective = sum_n CE(W x_n + b, label_n) + 1 / (2 C) ||W||²          // b is free
///
/// The object owns the memory of a fit, for features of one extent, and can be fitted again.
/// The result does not depend on earlier fits.
///
/// With few samples of many dimensions the optimum is first sought among the combinations of the
/// samples, W = A X, where it lies: the objective then needs only the products X Xᵀ of the
/// samples with each other. The result is converted to W, and the fit ends where the gradient with
/// respect to W and b itself is small.
public final class LogisticRegression: LinearClassifier {
  public let rows: Int
  public let dimensions: Int
  public let classes: Int

  /// Length of a row of `coefficients`, zero padding included.
  public let featureLength: Int
  private let sampleLength: Int
  private let features: AlignedBuffer<Double>  // [rows, featureLength]
  private let gram: AlignedBuffer<Double>?  // [rows, sampleLength]
  private let labels: AlignedBuffer<Int32>
  private let fitted: AlignedBuffer<Double>  // [classes, featureLength], then intercepts
  private let minimizer: LogisticMinimizer

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
    features = try AlignedBuffer(count: rows * featureLength)
    // Beyond that the products of the samples cost more than the iterations they save.
    let usesSamples = rows <= min(dimensions, 64 * classes)
    gram = usesSamples ? try AlignedBuffer(count: rows * sampleLength) : nil
    labels = try AlignedBuffer(count: rows)
    let size = classes * featureLength + paddedRowLength(classes)
    fitted = try AlignedBuffer(count: size)
    minimizer = try LogisticMinimizer(
      samples: rows, classes: classes, featureLength: featureLength, usesSamples: usesSamples)
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
    for n in 0..<rows {
      widen(
        features + n * dimensions, count: dimensions,
        into: self.features.pointer + n * featureLength)
      self.labels.pointer[n] = Int32(labels[n])
    }
    fitted.pointer.update(repeating: 0, count: fitted.capacity)
    var iterations = 0
    if let gram {
      multiplyByTranspose(
        self.features.pointer, aRows: rows, self.features.pointer, bRows: rows,
        length: featureLength, outputLength: sampleLength, into: gram.pointer)
      iterations =
        minimizer.minimize(
          in: .samples(gram: gram.pointer), labels: self.labels.pointer, options
        ).iterations
      combineRows(
        minimizer.coefficients, aRows: classes, aLength: sampleLength, self.features.pointer,
        bRows: rows, length: featureLength, into: fitted.pointer)
      interceptPointer.update(from: minimizer.intercepts, count: classes)
    }
    var rest = options
    rest.maximumIterations -= iterations
    var outcome = minimizer.minimize(
      in: .features(self.features.pointer), from: fitted.pointer, labels: self.labels.pointer, rest)
    fitted.pointer.update(from: minimizer.coefficients, count: classes * featureLength)
    interceptPointer.update(from: minimizer.intercepts, count: classes)
    let mean = (0..<classes).reduce(0) { $0 + interceptPointer[$1] } / Double(classes)
    for k in 0..<classes { interceptPointer[k] -= mean }
    outcome.iterations += iterations
    return outcome
  }
}
