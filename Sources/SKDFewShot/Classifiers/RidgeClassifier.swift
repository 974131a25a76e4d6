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

  private let sampleLength: Int
  private let usesSamples: Bool
  private let features: AlignedBuffer<Double>  // centred, [rows, featureLength]
  private let transposed: AlignedBuffer<Double>  // [dimensions, sampleLength], unless usesSamples
  private let mean: AlignedBuffer<Double>
  private let target: AlignedBuffer<Double>  // [sampleLength]
  private let system: SymmetricSystem
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
    transposed = try AlignedBuffer(count: usesSamples ? 0 : dimensions * sampleLength)
    mean = try AlignedBuffer(count: featureLength)
    target = try AlignedBuffer(count: sampleLength)
    system = try SymmetricSystem(count: min(rows, dimensions))
    fitted = try AlignedBuffer(count: classes * featureLength + classes)
  }

  /// `[classes, featureLength]`, of which the first `dimensions` columns count; valid while the
  /// object lives.
  public var coefficients: UnsafePointer<Double> { UnsafePointer(fitted.pointer) }

  /// `[classes]`. Valid while the object lives.
  public var intercepts: UnsafePointer<Double> {
    UnsafePointer(fitted.pointer + classes * featureLength)
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
    centre(features)
    let matrix = system.matrix
    if usesSamples {
      multiplyByTranspose(
        self.features.pointer, aRows: rows, self.features.pointer, bRows: rows,
        length: featureLength, outputLength: system.length, into: matrix)
    } else {
      transpose(
        self.features.pointer, rows: rows, columns: dimensions, length: featureLength,
        outputLength: sampleLength, into: transposed.pointer)
      multiplyByTranspose(
        transposed.pointer, aRows: dimensions, transposed.pointer, bRows: dimensions,
        length: sampleLength, outputLength: system.length, into: matrix)
    }
    system.factor(adding: alpha)
    for k in 0..<classes { fit(class: k, labels) }
  }

  private func fit(class k: Int, _ labels: UnsafePointer<Int64>) {
    let weight = fitted.pointer + k * featureLength
    let samples = (0..<rows).lazy.filter { labels[$0] == Int64(k) }.count
    let meanTarget = 2 * Double(samples) / Double(rows) - 1
    for n in 0..<rows { target.pointer[n] = (labels[n] == Int64(k) ? 1 : -1) - meanTarget }
    if usesSamples {
      system.solution.update(from: target.pointer, count: sampleLength)
      system.solve()
      combineRows(
        system.solution, aRows: 1, aLength: sampleLength, features.pointer, bRows: rows,
        length: featureLength, into: weight)
    } else {
      multiplyByTranspose(
        target.pointer, aRows: 1, transposed.pointer, bRows: dimensions, length: sampleLength,
        outputLength: featureLength, into: system.solution)
      system.solve()
      weight.update(from: system.solution, count: featureLength)
    }
    fitted.pointer[classes * featureLength + k] =
      meanTarget - dotProduct(mean.pointer, weight, length: featureLength)
  }

  private func centre(_ features: UnsafePointer<Float>) {
    mean.pointer.update(repeating: 0, count: featureLength)
    for n in 0..<rows {
      let row = self.features.pointer + n * featureLength
      widen(features + n * dimensions, count: dimensions, into: row)
      addScaled(row, by: 1, length: featureLength, to: mean.pointer)
    }
    divide(mean.pointer, by: Double(rows), length: featureLength, into: mean.pointer)
    for n in 0..<rows {
      addScaled(
        mean.pointer, by: -1, length: featureLength,
        to: self.features.pointer + n * featureLength)
    }
  }
}
