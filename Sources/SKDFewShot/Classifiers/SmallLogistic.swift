import SKDKernels
import SKDRuntime

/// The memory and the method of a small `LogisticRegression`: L-BFGS, on one thread.
///
/// With few samples of many dimensions the optimum is first sought among the combinations of the
/// samples, W = A X, where it lies: the objective then needs only the products X Xᵀ of the
/// samples with each other. The result is converted to W, and the fit ends where the gradient with
/// respect to W and b itself is small.
final class SmallLogistic {
  private let rows: Int
  private let dimensions: Int
  private let classes: Int
  private let featureLength: Int
  private let sampleLength: Int
  private let features: AlignedBuffer<Double>  // [rows, featureLength]
  private let gram: AlignedBuffer<Double>?  // [rows, sampleLength]
  private let labels: AlignedBuffer<Int32>
  private let minimizer: LogisticMinimizer

  /// - Throws: `SKDError.outOfMemory`.
  init(rows: Int, dimensions: Int, classes: Int) throws {
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
    minimizer = try LogisticMinimizer(
      samples: rows, classes: classes, featureLength: featureLength, usesSamples: usesSamples)
  }

  /// Writes `coefficients`, `[classes, featureLength]`, and right after them the intercepts, but for a
  /// constant.
  func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, _ options: FitOptions,
    coefficients: UnsafeMutablePointer<Double>, intercepts: UnsafeMutablePointer<Double>
  ) -> FitOutcome {
    for n in 0..<rows {
      widen(
        features + n * dimensions, count: dimensions,
        into: self.features.pointer + n * featureLength)
      self.labels.pointer[n] = Int32(labels[n])
    }
    coefficients.update(repeating: 0, count: classes * featureLength)
    intercepts.update(repeating: 0, count: paddedRowLength(classes))
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
        bRows: rows, length: featureLength, into: coefficients)
      intercepts.update(from: minimizer.intercepts, count: classes)
    }
    var rest = options
    rest.maximumIterations -= iterations
    var outcome = minimizer.minimize(
      in: .features(self.features.pointer), from: coefficients, labels: self.labels.pointer, rest)
    coefficients.update(from: minimizer.coefficients, count: classes * featureLength)
    intercepts.update(from: minimizer.intercepts, count: classes)
    outcome.iterations += iterations
    return outcome
  }
}
