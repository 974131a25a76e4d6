import SKDKernels
import SKDRuntime

/// The memory and the method of a small `RidgeClassifier`: class by class, on one thread.
final class SmallRidge {
  private let rows: Int
  private let dimensions: Int
  private let classes: Int
  private let featureLength: Int
  private let sampleLength: Int
  private let usesSamples: Bool
  private let features: AlignedBuffer<Double>  // centred, [rows, featureLength]
  private let transposed: AlignedBuffer<Double>  // [dimensions, sampleLength], unless usesSamples
  private let mean: AlignedBuffer<Double>
  private let target: AlignedBuffer<Double>  // [sampleLength]
  private let system: SymmetricSystem

  /// - Throws: `SKDError.outOfMemory`.
  init(rows: Int, dimensions: Int, classes: Int) throws {
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
  }

  /// Writes `coefficients`, `[classes, featureLength]`, and `intercepts`.
  func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, alpha: Double,
    coefficients: UnsafeMutablePointer<Double>, intercepts: UnsafeMutablePointer<Double>
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
    for k in 0..<classes {
      intercepts[k] = fit(class: k, labels, into: coefficients + k * featureLength)
    }
  }

  /// Returns the intercept.
  private func fit(
    class k: Int, _ labels: UnsafePointer<Int64>, into weight: UnsafeMutablePointer<Double>
  ) -> Double {
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
    return meanTarget - dotProduct(mean.pointer, weight, length: featureLength)
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
