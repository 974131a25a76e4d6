import SKDKernels
import SKDRuntime

/// What BD-CSPN and LaplacianShot share: queries shifted to the support set, and prototypes that are
/// means of rows, weighted by the probability of their class.
final class PrototypeRectification {
  typealias Vector = UnsafeMutablePointer<Double>

  private let memory: AlignedBuffer<Double>
  private let rows: Int
  private let classes: Int
  private let length: Int

  init(_ extent: TransductiveClassifier.Extent) throws {
    rows = extent.supportRows + extent.queryRows
    classes = extent.classes
    length = paddedRowLength(extent.dimensions)
    memory = try AlignedBuffer(count: 2 * length + 2 * classes * length + rows * classes)
  }

  /// `[length]`, which `prepare` overwrites.
  var scratchMean: Vector { supportMean }
  private var supportMean: Vector { memory.pointer }
  private var queryMean: Vector { supportMean + length }
  /// `[classes, length]`: means of the support rows.
  var classMeans: Vector { queryMean + length }
  /// `[classes, length]`: for the caller's rectified prototypes.
  var prototypes: Vector { classMeans + classes * length }
  /// `[rows, classes]`.
  var cosines: Vector { prototypes + classes * length }

  /// `cosines` after `assign`.
  var probabilities: Vector { cosines }

  /// Computes `classMeans`; with `shifts`, adds to each query the difference of the means of support
  /// and queries.
  func prepare(_ episode: EpisodeMatrix, shifts: Bool) {
    episode.averageClasses(into: classMeans)
    guard shifts else { return }
    episode.average(episode.support, into: supportMean)
    episode.average(episode.query, into: queryMean)
    episode.shift(episode.query, by: supportMean, times: 1)
    episode.shift(episode.query, by: queryMean, times: -1)
  }

  /// Writes to `cosines` those of some rows with `points`, `[classes, length]`; 0 for a zero row.
  func compare(_ chosen: Range<Int>, of episode: EpisodeMatrix, with points: Vector) {
    let output = cosines + chosen.lowerBound * classes
    multiplyByTranspose(
      episode.row(chosen.lowerBound), aRows: chosen.count, points, bRows: classes, length: length,
      outputLength: classes, into: output)
    for k in 0..<classes {
      let scale = inverseNorm(points + k * length)
      for i in 0..<chosen.count { output[i * classes + k] *= scale }
    }
    for (i, n) in chosen.enumerated() {
      let scale = inverseNorm(episode.row(n))
      for k in 0..<classes { output[i * classes + k] *= scale }
    }
  }

  /// Writes to `probabilities` the softmax over k of scale · cos(row, class mean k), for all rows.
  func assign(_ episode: EpisodeMatrix, scale: Double) {
    compare(0..<rows, of: episode, with: classMeans)
    for i in 0..<rows * classes { cosines[i] *= scale }
    softmaxRows(cosines, rows: rows, classes: classes, into: probabilities)
  }

  /// Writes to `prototypes` the mean of p x over some rows, at least one, p the probability of `k`.
  func setPrototype(_ k: Int, by members: [Int], of episode: EpisodeMatrix) {
    let prototype = prototypes + k * length
    prototype.update(repeating: 0, count: length)
    for n in members {
      addScaled(
        episode.row(n), by: probabilities[n * classes + k], length: length, to: prototype)
    }
    divide(prototype, by: Double(members.count), length: length, into: prototype)
  }

  private func inverseNorm(_ row: Vector) -> Double {
    let squares = dotProduct(row, row, length: length)
    return squares > 0 ? 1 / squares.squareRoot() : 0
  }
}
