import SKDKernels
import SKDRuntime

/// The features of one episode in Double: the support rows, then the query rows.
///
/// A solver transforms `features` in place and fills `scores`. The memory is for episodes of one
/// extent, and can be loaded again.
final class EpisodeMatrix {
  typealias Vector = UnsafeMutablePointer<Double>

  let supportRows: Int
  let queryRows: Int
  let dimensions: Int
  let classes: Int
  /// Length of a row of `features`, zero padding included.
  let length: Int
  /// Class of each support row, in `0..<classes`.
  private(set) var labels: [Int]

  private let memory: AlignedBuffer<Double>

  /// - Throws: `SKDError.outOfMemory`.
  init(_ extent: TransductiveClassifier.Extent) throws {
    supportRows = extent.supportRows
    queryRows = extent.queryRows
    dimensions = extent.dimensions
    classes = extent.classes
    length = paddedRowLength(dimensions)
    labels = [Int](repeating: 0, count: supportRows)
    memory = try AlignedBuffer(count: (supportRows + queryRows) * length + queryRows * classes)
  }

  var rows: Int { supportRows + queryRows }
  /// Numbers of the support rows.
  var support: Range<Int> { 0..<supportRows }
  /// Numbers of the query rows.
  var query: Range<Int> { supportRows..<rows }
  /// `[rows, length]`.
  var features: Vector { memory.pointer }
  /// `[queryRows, classes]`; the largest entry of a row decides.
  var scores: Vector { memory.pointer + rows * length }

  func row(_ n: Int) -> Vector { features + n * length }

  /// Takes the features of an episode.
  ///
  /// - Parameters:
  ///   - support: `[supportRows, dimensions]`, finite.
  ///   - labels: `supportRows` classes in `0..<classes`, every class at least once.
  ///   - query: Returns the `dimensions` features of a query in `0..<queryRows`.
  func load(
    support: UnsafePointer<Float>, labels: UnsafePointer<Int64>,
    query: (Int) -> UnsafePointer<Float>
  ) {
    for n in self.support {
      widen(support + n * dimensions, count: dimensions, into: row(n))
      self.labels[n] = Int(labels[n])
    }
    for q in 0..<queryRows { widen(query(q), count: dimensions, into: row(supportRows + q)) }
  }

  /// Divides every row by its Euclidean norm; a zero row stays zero.
  func normalizeRows() {
    for n in 0..<rows { normalize(row(n), length: length) }
  }

  /// Writes the mean of some rows to `mean`, `length` elements.
  func average(_ rows: Range<Int>, into mean: Vector) {
    mean.update(repeating: 0, count: length)
    for n in rows { addScaled(row(n), by: 1, length: length, to: mean) }
    divide(mean, by: Double(rows.count), length: length, into: mean)
  }

  /// Adds `factor * offset` to some rows.
  func shift(_ rows: Range<Int>, by offset: UnsafePointer<Double>, times factor: Double) {
    for n in rows { addScaled(offset, by: factor, length: length, to: row(n)) }
  }

  /// Subtracts the mean of all rows, which is written to `mean`, `length` elements.
  func center(by mean: Vector) {
    average(0..<rows, into: mean)
    shift(0..<rows, by: mean, times: -1)
  }

  /// Writes the mean of the support rows of each class to `means`, `[classes, length]`.
  func averageClasses(into means: Vector) {
    means.update(repeating: 0, count: classes * length)
    var counts = [Int](repeating: 0, count: classes)
    for n in support {
      addScaled(row(n), by: 1, length: length, to: means + labels[n] * length)
      counts[labels[n]] += 1
    }
    for k in 0..<classes {
      divide(
        means + k * length, by: Double(counts[k]), length: length, into: means + k * length)
    }
  }
}
