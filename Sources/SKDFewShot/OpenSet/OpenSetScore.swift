import CLibrary
import SKDKernels

/// A number for each query that tells queries of known classes from others: the larger, the more
/// likely the class is known.
public enum OpenSetScore: Sendable, Equatable {
  /// The cosine of the angle between the query and the nearest class mean.
  case centroidCosine
  /// The largest probability of a prototypical network, softmax(-squared distance to the means).
  case maximumProbability

  var metric: Metric {
    switch self {
    case .centroidCosine: .cosine
    case .maximumProbability: .euclidean
    }
  }
}

/// The scores of queries against the class means of a support set.
///
/// The object owns the memory, for one number of classes, and can be fitted again.
public final class OpenSetScorer {
  public let score: OpenSetScore
  private let prototypes: NearestPrototype
  private var proximities: [Double]

  /// - Parameters:
  ///   - classes: `>= 1`.
  ///   - dimensions: `>= 1`.
  /// - Throws: `SKDError.outOfMemory`.
  public init(_ score: OpenSetScore, classes: Int, dimensions: Int) throws {
    self.score = score
    prototypes = try NearestPrototype(score.metric, count: classes, dimensions: dimensions)
    proximities = [Double](repeating: 0, count: classes)
  }

  /// Takes class means that were computed before.
  ///
  /// - Parameter centroids: `[classes, dimensions]`, finite.
  public func setCentroids(_ centroids: UnsafePointer<Double>) { prototypes.setRows(centroids) }

  /// Computes the class means of a support set.
  ///
  /// - Parameters:
  ///   - features: `[rows, dimensions]`, finite.
  ///   - labels: `rows` classes in `0..<classes`, every class at least once.
  public func fit(_ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, rows: Int) {
    prototypes.setCentroids(features, labels: labels, rows: rows)
  }

  /// The score of one row of `dimensions` features.
  public func score(of features: UnsafePointer<Float>) -> Double {
    proximities.withUnsafeMutableBufferPointer {
      prototypes.proximities(of: features, into: $0.baseAddress!)
    }
    let largest = proximities.reduce(-.infinity) { max($0, $1) }
    switch score {
    case .centroidCosine: return largest
    case .maximumProbability:
      guard largest > -.infinity else { return 1 / Double(proximities.count) }
      // softmax at its maximum: 1 / sum_k exp(p_k - max p)
      return 1 / proximities.reduce(0) { $0 + exp($1 - largest) }
    }
  }
}
