import SKDKernels
import SKDRuntime

/// The memory and the method of a large `RidgeClassifier`: one factorisation for all classes, and
/// matrix products on all threads.
final class LargeRidge {
  private let rows: Int
  private let dimensions: Int
  private let classes: Int
  private let featureLength: Int
  private let sampleLength: Int
  private let usesSamples: Bool
  private let features: AlignedBuffer<Double>  // centred, [rows, featureLength]
  private let transposed: AlignedBuffer<Double>  // [dimensions, sampleLength]
  private let mean: AlignedBuffer<Double>
  private let labels: AlignedBuffer<Int32>
  private let system: SharedSystem
  private let right: AlignedBuffer<Double>  // [classes, sampleLength], if usesSamples
  private let scratch: AlignedBuffer<Double>

  /// - Throws: `SKDError.outOfMemory`.
  init(rows: Int, dimensions: Int, classes: Int) throws {
    self.rows = rows
    self.dimensions = dimensions
    self.classes = classes
    featureLength = paddedRowLength(dimensions)
    sampleLength = paddedRowLength(rows)
    usesSamples = rows <= dimensions
    features = try AlignedBuffer(count: rows * featureLength)
    transposed = try AlignedBuffer(count: dimensions * sampleLength)
    mean = try AlignedBuffer(count: featureLength)
    labels = try AlignedBuffer(count: rows)
    system = try SharedSystem(count: min(rows, dimensions))
    right = try AlignedBuffer(count: usesSamples ? classes * sampleLength : 0)
    scratch = try AlignedBuffer(count: BlockedCholesky.solveScratchCount(rows: classes))
  }

  /// Writes `coefficients`, `[classes, featureLength]`, and `intercepts`.
  func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, alpha: Double,
    coefficients: UnsafeMutablePointer<Double>, intercepts: UnsafeMutablePointer<Double>
  ) {
    for n in 0..<rows { self.labels.pointer[n] = Int32(labels[n]) }
    let x = self.features.pointer
    widenRows(features, rows: rows, count: dimensions, length: featureLength, into: x)
    centreRows(x, rows: rows, length: featureLength, mean: mean.pointer)
    transpose(
      x, rows: rows, columns: dimensions, length: featureLength, outputLength: sampleLength,
      into: transposed.pointer)
    multiplyRowsByEachOther(
      usesSamples ? x : transposed.pointer, rows: system.count,
      length: usesSamples ? featureLength : sampleLength, into: system.matrix,
      outputLength: system.length)
    system.factor(adding: alpha)
    intercepts.update(repeating: 0, count: classes)
    for n in 0..<rows { intercepts[Int(labels[n])] += 1 }
    for k in 0..<classes { intercepts[k] = 2 * intercepts[k] / Double(rows) - 1 }
    solve(intercepts, into: coefficients)
    for k in 0..<classes {
      intercepts[k] -= dotProduct(
        mean.pointer, coefficients + k * featureLength, length: featureLength)
    }
  }

  /// - Parameter means: Mean target of each class.
  private func solve(
    _ means: UnsafePointer<Double>, into coefficients: UnsafeMutablePointer<Double>
  ) {
    if usesSamples {
      for k in 0..<classes {
        (right.pointer + k * sampleLength).update(repeating: -1 - means[k], count: rows)
      }
      for n in 0..<rows { right.pointer[Int(labels.pointer[n]) * sampleLength + n] += 2 }
      system.solve(right.pointer, rows: classes, scratch: scratch.pointer)
      multiplyRows(
        right.pointer, aRows: classes, aLength: sampleLength, transposed.pointer,
        bRows: dimensions, bLength: sampleLength, depth: sampleLength, into: coefficients,
        outputLength: featureLength)
    } else {
      // The samples are centred: the products with targets of -1 everywhere are 0.
      sumRowsOfClasses(
        features.pointer, labels: labels.pointer, rows: rows, classes: classes,
        length: featureLength, into: coefficients)
      scaleLarge(coefficients, by: 2, length: classes * featureLength, into: coefficients)
      system.solve(coefficients, rows: classes, scratch: scratch.pointer)
    }
  }
}
