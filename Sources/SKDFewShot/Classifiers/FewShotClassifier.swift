import SKDKernels
import SKDRuntime

/// A small classifier of features, fitted to a support set.
///
/// The object owns the memory of a fit, for support sets of one extent, and can be fitted again.
public final class FewShotClassifier {
  public enum Kind: Sendable, Equatable {
    /// Multinomial logistic regression with this inverse regularisation C.
    case logistic(inverseRegularization: Double)
    /// The class whose mean is nearest; Euclidean, the lowest class of equal distances.
    case nearestCentroid
    /// The class of the nearest sample; Euclidean, the first sample of equal distances.
    case nearestNeighbor
  }

  public let kind: Kind
  private let rows: Int
  private let dimensions: Int
  private let classes: Int
  private let length: Int  // of a padded row
  private let regression: LogisticRegression?
  private let prototypes: AlignedBuffer<Double>  // [prototypeCount, length]
  private let prototypeCount: Int
  private let prototypeLabels: AlignedBuffer<Int64>
  private let query: AlignedBuffer<Double>

  /// - Parameters:
  ///   - rows: Samples of a support set, `>= 1`.
  ///   - dimensions: `>= 1`.
  ///   - classes: `>= 1`.
  /// - Throws: `SKDError.outOfMemory`.
  public init(_ kind: Kind, rows: Int, dimensions: Int, classes: Int) throws {
    self.kind = kind
    self.rows = rows
    self.dimensions = dimensions
    self.classes = classes
    length = paddedRowLength(dimensions)
    query = try AlignedBuffer(count: length)
    switch kind {
    case .logistic:
      prototypeCount = 0
      regression = try LogisticRegression(rows: rows, dimensions: dimensions, classes: classes)
    case .nearestCentroid:
      prototypeCount = classes
      regression = nil
    case .nearestNeighbor:
      prototypeCount = rows
      regression = nil
    }
    prototypes = try AlignedBuffer(count: prototypeCount * length)
    prototypeLabels = try AlignedBuffer(count: prototypeCount)
  }

  /// Fits to a support set.
  ///
  /// - Parameters:
  ///   - features: `[rows, dimensions]`, finite.
  ///   - labels: `rows` classes in `0..<classes`, every class at least once.
  public func fit(_ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>) {
    switch kind {
    case .logistic(let inverseRegularization):
      _ = regression?.fit(
        features, labels: labels, .init(inverseRegularization: inverseRegularization))
    case .nearestCentroid:
      computeCentroids(features, labels)
    case .nearestNeighbor:
      for n in 0..<rows {
        widen(
          features + n * dimensions, count: dimensions, into: prototypes.pointer + n * length)
        prototypeLabels.pointer[n] = labels[n]
      }
    }
  }

  private func computeCentroids(_ features: UnsafePointer<Float>, _ labels: UnsafePointer<Int64>) {
    prototypes.pointer.update(repeating: 0, count: classes * length)
    var counts = [Int](repeating: 0, count: classes)
    for n in 0..<rows {
      widen(features + n * dimensions, count: dimensions, into: query.pointer)
      addScaled(
        query.pointer, by: 1, length: length, to: prototypes.pointer + Int(labels[n]) * length)
      counts[Int(labels[n])] += 1
    }
    for k in 0..<classes {
      let centroid = prototypes.pointer + k * length
      scale(centroid, by: 1 / Double(counts[k]), length: length, into: centroid)
      prototypeLabels.pointer[k] = Int64(k)
    }
  }

  /// The class of one row of `dimensions` features, in `0..<classes`.
  public func predict(_ features: UnsafePointer<Float>) -> Int {
    widen(features, count: dimensions, into: query.pointer)
    if let regression {
      return firstMaximum(of: classes) { regression.decision(query.pointer, class: $0) }
    }
    let nearest = firstMaximum(of: prototypeCount) {
      -squaredDistance(query.pointer, prototypes.pointer + $0 * length, length: length)
    }
    return Int(prototypeLabels.pointer[nearest])
  }

  private func firstMaximum(of count: Int, _ value: (Int) -> Double) -> Int {
    var best = (index: 0, value: -Double.infinity)
    for i in 0..<count {
      let candidate = value(i)
      if candidate > best.value { best = (i, candidate) }
    }
    return best.index
  }
}
