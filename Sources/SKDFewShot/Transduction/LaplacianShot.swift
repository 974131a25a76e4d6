import CLibrary
import SKDKernels
import SKDRuntime

/// LaplacianShot (Ziko et al., arXiv:2006.15486): assignments that are near to their prototypes and
/// alike for neighbouring queries.
///
///     x ← x - mean of the episode,   x ← x / ||x||,   a_qk = ||x_q - m_k||²
///     w_qp = 1 if x_p is one of the nearest neighbours of x_q, else 0
///     E(y) = sum_qk y_qk log y_qk + y_qk a_qk - weight · sum_qpk w_qp y_qk y_pk
///     y_q ← softmax over k of -a_qk + weight · sum_p w_qp y_pk         // its bound, until E settles
///     score[q, k] = y_qk
///
/// The paper centres with the mean of the base classes; here it is the mean of the episode's support
/// and query rows, so that features suffice. With rectification, queries are then shifted to the
/// support set as in `BDCSPN`, and m_k is the mean of p_ik x_i over the support rows of k and all
/// queries whose largest probability is that of k. Without, m_k is the class mean.
final class LaplacianShot: TransductiveSolver {
  typealias Vector = UnsafeMutablePointer<Double>

  private let options: LaplacianShotOptions
  private let rectification: PrototypeRectification
  private let neighbors: Int
  private let queryRows: Int
  private let classes: Int
  private let queryLength: Int
  private let memory: AlignedBuffer<Double>
  private var neighborhoods: [[Int]]

  init(_ options: LaplacianShotOptions, _ extent: TransductiveClassifier.Extent) throws {
    self.options = options
    rectification = try PrototypeRectification(extent)
    neighbors = min(options.neighbors, extent.queryRows - 1)
    queryRows = extent.queryRows
    classes = extent.classes
    queryLength = paddedRowLength(queryRows)
    neighborhoods = [[Int]](repeating: [], count: queryRows)
    memory = try AlignedBuffer(count: queryRows * queryLength + 2 * queryRows * classes)
  }

  /// `[queryRows, queryLength]`: products of queries.
  private var products: Vector { memory.pointer }
  /// `[queryRows, classes]`: a.
  private var distances: Vector { products + queryRows * queryLength }
  /// `[queryRows, classes]`: sum_p w_qp y_pk.
  private var pulls: Vector { distances + queryRows * classes }

  func solve(_ episode: EpisodeMatrix) -> Double? {
    if options.centers { episode.center(by: rectification.scratchMean) }
    episode.normalizeRows()
    rectification.prepare(episode, shifts: options.rectifies)
    var prototypes = rectification.classMeans
    if options.rectifies {
      rectify(episode)
      prototypes = rectification.prototypes
    }
    for (q, n) in episode.query.enumerated() {
      for k in 0..<classes {
        distances[q * classes + k] = squaredDistance(
          episode.row(n), prototypes + k * episode.length, length: episode.length)
      }
    }
    findNeighbors(episode)
    return minimize(episode)
  }

  private func rectify(_ episode: EpisodeMatrix) {
    let r = rectification
    r.assign(episode, scale: options.scale)
    var members = [[Int]](repeating: [], count: classes)
    for n in episode.support { members[episode.labels[n]].append(n) }
    for n in episode.query {
      members[firstMaximum(of: classes) { r.probabilities[n * classes + $0] }].append(n)
    }
    for k in 0..<classes { r.setPrototype(k, by: members[k], of: episode) }
  }

  // MARK: Neighbours

  /// The nearest neighbours of each query among the other queries; the first of equally near ones.
  private func findNeighbors(_ episode: EpisodeMatrix) {
    let first = episode.row(episode.supportRows)
    multiplyByTranspose(
      first, aRows: queryRows, first, bRows: queryRows, length: episode.length,
      outputLength: queryLength, into: products)
    for q in 0..<queryRows {
      let row = products + q * queryLength
      // ||x_q - x_p||² but for ||x_q||², which is the same for all.
      func distance(_ p: Int) -> Double { products[p * queryLength + p] - 2 * row[p] }
      var nearest: [(distance: Double, query: Int)] = []
      for p in 0..<queryRows where p != q && neighbors > 0 {
        let candidate = distance(p)
        if nearest.count == neighbors {
          guard candidate < nearest[neighbors - 1].distance else { continue }
          nearest.removeLast()
        }
        let place = nearest.firstIndex { candidate < $0.distance } ?? nearest.count
        nearest.insert((candidate, p), at: place)
      }
      neighborhoods[q] = nearest.map(\.query)
    }
  }

  // MARK: Minimisation

  private func minimize(_ episode: EpisodeMatrix) -> Double {
    let (y, count) = (episode.scores, queryRows * classes)
    for i in 0..<count { y[i] = -distances[i] }
    softmaxRows(y, rows: queryRows, classes: classes, into: y)
    pull(y)
    var energy = Double.infinity
    for iteration in 0..<options.iterations {
      for i in 0..<count { y[i] = options.weight * pulls[i] - distances[i] }
      softmaxRows(y, rows: queryRows, classes: classes, into: y)
      pull(y)
      let last = energy
      energy = 0
      for i in 0..<count {
        let entropy = log(max(y[i], .leastNormalMagnitude))
        energy += y[i] * (entropy + distances[i] - options.weight * pulls[i])
      }
      if iteration > 1 && abs(energy - last) <= 1e-6 * abs(last) { break }
    }
    return energy
  }

  private func pull(_ y: Vector) {
    pulls.update(repeating: 0, count: queryRows * classes)
    for q in 0..<queryRows {
      let sums = pulls + q * classes
      for p in neighborhoods[q] {
        for k in 0..<classes { sums[k] += y[p * classes + k] }
      }
    }
  }
}
