import SKDKernels
import SKDRuntime

/// Distances of a row of features from a prototype.
public enum Metric: Sendable, Equatable {
  /// Euclidean distance.
  case euclidean
  /// One minus the cosine of the angle between both; a row of zeros has cosine 0 with any.
  case cosine
}

/// Labelled points of the feature space, of which the nearest decides: the means of the classes, or
/// every sample.
public final class NearestPrototype {
  public let metric: Metric
  public let count: Int
  private let dimensions: Int
  private let length: Int  // of a padded row
  private let prototypes: AlignedBuffer<Double>  // [count, length], unit vectors if cosine
  private let query: AlignedBuffer<Double>

  /// - Parameters:
  ///   - count: Prototypes, `>= 1`.
  ///   - dimensions: `>= 1`.
  /// - Throws: `SKDError.outOfMemory`.
  public init(_ metric: Metric, count: Int, dimensions: Int) throws {
    self.metric = metric
    self.count = count
    self.dimensions = dimensions
    length = paddedRowLength(dimensions)
    prototypes = try AlignedBuffer(count: count * length)
    query = try AlignedBuffer(count: length)
  }

  /// Takes every row as a prototype.
  ///
  /// - Parameter rows: `[count, dimensions]`, finite.
  public func setRows(_ rows: UnsafePointer<Float>) {
    for i in 0..<count {
      widen(rows + i * dimensions, count: dimensions, into: row(i))
    }
    prepare()
  }

  /// Takes every row as a prototype.
  ///
  /// - Parameter rows: `[count, dimensions]`, finite.
  public func setRows(_ rows: UnsafePointer<Double>) {
    for i in 0..<count { row(i).update(from: rows + i * dimensions, count: dimensions) }
    prepare()
  }

  /// Takes the means of the classes as prototypes; there are `count` classes.
  ///
  /// - Parameters:
  ///   - features: `[rows, dimensions]`, finite.
  ///   - labels: `rows` classes in `0..<count`, every class at least once.
  public func setCentroids(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, rows: Int
  ) {
    prototypes.pointer.update(repeating: 0, count: count * length)
    var counts = [Int](repeating: 0, count: count)
    for n in 0..<rows {
      widen(features + n * dimensions, count: dimensions, into: query.pointer)
      addScaled(query.pointer, by: 1, length: length, to: row(Int(labels[n])))
      counts[Int(labels[n])] += 1
    }
    // Divided once: the mean of equal features, whose sum is exact, is these features.
    for k in 0..<count { divide(row(k), by: Double(counts[k]), length: length, into: row(k)) }
    prepare()
  }

  /// `dimensions` elements, of unit length if the metric is the cosine; valid while the object lives.
  public func prototype(_ i: Int) -> UnsafePointer<Double> { UnsafePointer(row(i)) }

  /// The index of the nearest prototype; the first of equally near ones.
  public func nearest(to features: UnsafePointer<Float>) -> Int {
    setQuery(features)
    return firstMaximum(of: count, proximity)
  }

  /// Writes how near each prototype is: minus the squared distance, or the cosine.
  ///
  /// - Parameters:
  ///   - features: `dimensions` elements.
  ///   - proximities: `count` elements; overwritten.
  public func proximities(
    of features: UnsafePointer<Float>, into proximities: UnsafeMutablePointer<Double>
  ) {
    setQuery(features)
    for i in 0..<count { proximities[i] = proximity(to: i) }
  }

  private func row(_ i: Int) -> UnsafeMutablePointer<Double> { prototypes.pointer + i * length }

  private func prepare() {
    if metric == .cosine { for i in 0..<count { normalize(row(i)) } }
  }

  private func setQuery(_ features: UnsafePointer<Float>) {
    widen(features, count: dimensions, into: query.pointer)
    if metric == .cosine { normalize(query.pointer) }
  }

  /// To unit length, after a division by the largest entry, which keeps the squares in range.
  private func normalize(_ row: UnsafeMutablePointer<Double>) {
    let largest = largestMagnitude(row, length: length)
    guard largest > 0 else { return }
    scale(row, by: 1 / largest, length: length, into: row)
    scale(row, by: 1 / dotProduct(row, row, length: length).squareRoot(), length: length, into: row)
  }

  private func proximity(to i: Int) -> Double {
    switch metric {
    case .euclidean: return -squaredDistance(query.pointer, row(i), length: length)
    case .cosine: return dotProduct(query.pointer, row(i), length: length)
    }
  }
}

/// The first index of the largest of `count` values; 0 if there is none above minus infinity.
func firstMaximum(of count: Int, _ value: (Int) -> Double) -> Int {
  var best = (index: 0, value: -Double.infinity)
  for i in 0..<count {
    let candidate = value(i)
    if candidate > best.value { best = (i, candidate) }
  }
  return best.index
}
