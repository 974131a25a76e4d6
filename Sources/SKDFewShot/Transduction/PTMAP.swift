import CLibrary
import SKDKernels
import SKDRuntime

/// PT-MAP (Hu, Gripon and Pateux, arXiv:2006.03806): features made Gaussian by a power transform,
/// and class centres that follow a balanced optimal transport.
///
///     x ← (max(x, 0) + 1e-6)^power,   x ← x / ||x||
///     x ← x - mean of the support, or of the queries,   x ← x / ||x||
///     c_k = mean of the support rows of class k
///     P   = exp(-scale · ||x_q - c_k||²), its rows scaled to the mass 1 and its columns to
///           queries / classes by `balanceBySinkhorn`;  P = one-hot labels for the support rows
///     c_k ← c_k + learningRate (sum_n P_nk x_n / sum_n P_nk - c_k)          // `steps` times
///     score[q, k] = P_qk,   objective = sum_qk P_qk ||x_q - c_k||²           // at the end
///
/// A centre is a combination of the rows, c_k = sum_n a_kn x_n, so that distances need the products
/// of the rows only, which are computed once.
final class PTMAP: TransductiveSolver {
  typealias Vector = UnsafeMutablePointer<Double>

  private let options: PTMAPOptions
  private let classes: Int
  private let rowsLength: Int
  private let queryLength: Int
  private let means: AlignedBuffer<Double>  // [2, length]: of the support and of the queries
  private let products: AlignedBuffer<Double>  // [rows, rowsLength]
  private let weights: AlignedBuffer<Double>  // a, [classes, rowsLength]
  private let images: AlignedBuffer<Double>  // c_k x_n, [classes, rowsLength]
  private let distances: AlignedBuffer<Double>  // [classes, queryLength]
  private let plan: AlignedBuffer<Double>  // P, [classes, queryLength]
  private let scratch: AlignedBuffer<Double>  // 3 queryLength + classes

  private static let offset = 1e-6
  private static let tolerance = 1e-6
  private static let sinkhornIterations = 1000

  init(_ options: PTMAPOptions, _ extent: TransductiveClassifier.Extent) throws {
    self.options = options
    classes = extent.classes
    let rows = extent.supportRows + extent.queryRows
    rowsLength = paddedRowLength(rows)
    queryLength = paddedRowLength(extent.queryRows)
    means = try AlignedBuffer(count: 2 * paddedRowLength(extent.dimensions))
    products = try AlignedBuffer(count: rows * rowsLength)
    weights = try AlignedBuffer(count: classes * rowsLength)
    images = try AlignedBuffer(count: classes * rowsLength)
    distances = try AlignedBuffer(count: classes * queryLength)
    plan = try AlignedBuffer(count: classes * queryLength)
    scratch = try AlignedBuffer(count: 3 * queryLength + classes)
  }

  func solve(_ episode: EpisodeMatrix) -> Double? {
    transform(episode)
    multiplyByTranspose(
      episode.features, aRows: episode.rows, episode.features, bRows: episode.rows,
      length: episode.length, outputLength: rowsLength, into: products.pointer)
    let counts = beginAtClassMeans(episode)
    transport(episode)
    for _ in 0..<options.steps {
      moveCenters(counts, episode)
      transport(episode)
    }
    var objective = 0.0
    for k in 0..<classes {
      objective += dotProduct(
        plan.pointer + k * queryLength, distances.pointer + k * queryLength, length: queryLength)
      for q in 0..<episode.queryRows {
        episode.scores[q * classes + k] = plan.pointer[k * queryLength + q]
      }
    }
    return objective
  }

  private func transform(_ episode: EpisodeMatrix) {
    for n in 0..<episode.rows {
      powerTransform(
        episode.row(n), count: episode.dimensions, offset: Self.offset, power: options.power)
    }
    episode.normalizeRows()
    let queryMean = means.pointer + episode.length
    episode.average(episode.support, into: means.pointer)
    episode.average(episode.query, into: queryMean)
    episode.shift(episode.support, by: means.pointer, times: -1)
    episode.shift(episode.query, by: queryMean, times: -1)
    episode.normalizeRows()
  }

  /// Returns the number of support rows of each class.
  private func beginAtClassMeans(_ episode: EpisodeMatrix) -> [Int] {
    var counts = [Int](repeating: 0, count: classes)
    for k in episode.labels { counts[k] += 1 }
    weights.pointer.update(repeating: 0, count: classes * rowsLength)
    for (n, k) in episode.labels.enumerated() {
      weights.pointer[k * rowsLength + n] = 1 / Double(counts[k])
    }
    return counts
  }

  /// Computes the distances of the queries from the centres, and the plan of their transport.
  private func transport(_ episode: EpisodeMatrix) {
    combineRows(
      weights.pointer, aRows: classes, aLength: rowsLength, products.pointer, bRows: episode.rows,
      length: rowsLength, into: images.pointer)
    for k in 0..<classes {
      let image = images.pointer + k * rowsLength
      let square = dotProduct(weights.pointer + k * rowsLength, image, length: rowsLength)
      for (q, n) in episode.query.enumerated() {
        let product = products.pointer[n * rowsLength + n]
        distances.pointer[k * queryLength + q] = max(product - 2 * image[n] + square, 0)
      }
    }
    fillKernel(episode)
    let sampleFactors = scratch.pointer + 2 * queryLength
    let classFactors = sampleFactors + queryLength
    balanceBySinkhorn(
      plan.pointer, classes: classes, length: queryLength,
      classMass: Double(episode.queryRows) / Double(classes), tolerance: Self.tolerance,
      maximumIterations: Self.sinkhornIterations, sampleFactors: sampleFactors,
      classFactors: classFactors, scratch: scratch.pointer)
    for k in 0..<classes {
      let row = plan.pointer + k * queryLength
      for q in 0..<episode.queryRows { row[q] *= sampleFactors[q] * classFactors[k] }
    }
  }

  /// exp(-scale · distance), times a factor of each query that its scaling takes back: the nearest
  /// class gets 1, so that no row underflows.
  private func fillKernel(_ episode: EpisodeMatrix) {
    for q in 0..<episode.queryRows {
      var smallest = Double.infinity
      for k in 0..<classes { smallest = min(smallest, distances.pointer[k * queryLength + q]) }
      for k in 0..<classes {
        let i = k * queryLength + q
        plan.pointer[i] = exp(options.scale * (smallest - distances.pointer[i]))
      }
    }
  }

  private func moveCenters(_ counts: [Int], _ episode: EpisodeMatrix) {
    for k in 0..<classes {
      let row = plan.pointer + k * queryLength
      var mass = Double(counts[k])
      for q in 0..<episode.queryRows { mass += row[q] }
      let (rate, weight) = (options.learningRate, weights.pointer + k * rowsLength)
      for n in episode.support {
        let share = episode.labels[n] == k ? 1 / mass : 0
        weight[n] += rate * (share - weight[n])
      }
      for (q, n) in episode.query.enumerated() { weight[n] += rate * (row[q] / mass - weight[n]) }
    }
  }
}
