import SKDKernels
import SKDRuntime

/// A small classifier of features, fitted to a support set.
///
/// The object owns the memory of a fit, for support sets of one extent, and can be fitted again.
public final class FewShotClassifier {
  public enum Kind: Sendable, Equatable {
    /// Multinomial logistic regression with this inverse regularisation C.
    case logistic(inverseRegularization: Double)
    /// The class whose mean is nearest; the lowest class of equal distances.
    case nearestCentroid(Metric)
    /// The class of the nearest sample; the first sample of equal distances.
    case nearestNeighbor(Metric)
    /// Ridge regression of the classes with this penalty.
    case ridge(alpha: Double)
    /// Linear support vector machines with this inverse regularisation C.
    case linearSVC(inverseRegularization: Double)
  }

  private enum Solver {
    case logistic(LogisticRegression, FitOptions)
    case ridge(RidgeClassifier, alpha: Double)
    case linearSVC(LinearSVC, FitOptions)
    case centroids(NearestPrototype)
    case samples(NearestPrototype)
  }

  public let kind: Kind
  private let rows: Int
  private let dimensions: Int
  private let classes: Int
  private let solver: Solver
  private let query: AlignedBuffer<Double>
  private var sampleLabels: [Int]  // of the nearest neighbour

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
    switch kind {
    case .logistic(let inverseRegularization):
      solver = .logistic(
        try LogisticRegression(rows: rows, dimensions: dimensions, classes: classes),
        .init(inverseRegularization: inverseRegularization))
    case .nearestCentroid(let metric):
      solver = .centroids(try NearestPrototype(metric, count: classes, dimensions: dimensions))
    case .nearestNeighbor(let metric):
      solver = .samples(try NearestPrototype(metric, count: rows, dimensions: dimensions))
    case .ridge(let alpha):
      solver = .ridge(
        try RidgeClassifier(rows: rows, dimensions: dimensions, classes: classes), alpha: alpha)
    case .linearSVC(let inverseRegularization):
      solver = .linearSVC(
        // One worker: many classifiers are fitted at once, each on a thread.
        try LinearSVC(rows: rows, dimensions: dimensions, classes: classes, workers: 1),
        .init(inverseRegularization: inverseRegularization))
    }
    query = try AlignedBuffer(count: paddedRowLength(dimensions))
    sampleLabels = []
  }

  /// Fits to a support set.
  ///
  /// - Parameters:
  ///   - features: `[rows, dimensions]`, finite.
  ///   - labels: `rows` classes in `0..<classes`, every class at least once.
  public func fit(_ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>) {
    switch solver {
    case .logistic(let regression, let options):
      _ = regression.fit(features, labels: labels, options)
    case .ridge(let regression, let alpha):
      regression.fit(features, labels: labels, alpha: alpha)
    case .linearSVC(let machines, let options):
      _ = machines.fit(features, labels: labels, options)
    case .centroids(let prototypes):
      prototypes.setCentroids(features, labels: labels, rows: rows)
    case .samples(let prototypes):
      prototypes.setRows(features)
      sampleLabels = (0..<rows).map { Int(labels[$0]) }
    }
  }

  /// The class of one row of `dimensions` features, in `0..<classes`; the first of equal ones.
  public func predict(_ features: UnsafePointer<Float>) -> Int {
    switch solver {
    case .logistic(let classifier, _): return predict(features, by: classifier)
    case .ridge(let classifier, _): return predict(features, by: classifier)
    case .linearSVC(let classifier, _): return predict(features, by: classifier)
    case .centroids(let prototypes): return prototypes.nearest(to: features)
    case .samples(let prototypes): return sampleLabels[prototypes.nearest(to: features)]
    }
  }

  /// Writes the score of each class for one row of `dimensions` features: the decision value of a
  /// linear classifier, or how near the mean or the nearest sample of the class is.
  ///
  /// - Parameter scores: `classes` elements; overwritten.
  public func scores(
    of features: UnsafePointer<Float>, into scores: UnsafeMutablePointer<Double>
  ) {
    switch solver {
    case .logistic(let classifier, _): decide(features, by: classifier, into: scores)
    case .ridge(let classifier, _): decide(features, by: classifier, into: scores)
    case .linearSVC(let classifier, _): decide(features, by: classifier, into: scores)
    case .centroids(let prototypes): prototypes.proximities(of: features, into: scores)
    case .samples(let prototypes):
      scores.update(repeating: -.infinity, count: classes)
      withUnsafeTemporaryAllocation(of: Double.self, capacity: rows) { proximities in
        guard let proximities = proximities.baseAddress else { return }
        prototypes.proximities(of: features, into: proximities)
        for (row, label) in sampleLabels.enumerated() {
          scores[label] = max(scores[label], proximities[row])
        }
      }
    }
  }

  private func decide(
    _ features: UnsafePointer<Float>, by classifier: any LinearClassifier,
    into scores: UnsafeMutablePointer<Double>
  ) {
    widen(features, count: dimensions, into: query.pointer)
    for k in 0..<classes { scores[k] = classifier.decision(query.pointer, class: k) }
  }

  private func predict(_ features: UnsafePointer<Float>, by classifier: any LinearClassifier) -> Int
  {
    widen(features, count: dimensions, into: query.pointer)
    return firstMaximum(of: classes) { classifier.decision(query.pointer, class: $0) }
  }
}
