import SKDKernels
import SKDRuntime

/// BD-CSPN (Liu, Song and Qin, arXiv:1911.10713, sections 3.1 and 3.2): prototypes rectified by
/// pseudo-labelled queries.
///
///     x ← x / ||x||,   x_q ← x_q + mean(support) - mean(queries)
///     P_k  = mean of the support rows of class k
///     p_ik = softmax over k of scale · cos(x_i, P_k)
///     S_k  = support rows of k, and the `pseudoLabels` queries of the largest p_qk among those whose
///            largest probability is that of k
///     P'_k = mean over S_k of p_ik x_i
///     score[q, k] = cos(x_q, P'_k)
final class BDCSPN: TransductiveSolver {
  private let options: BDCSPNOptions
  private let rectification: PrototypeRectification

  init(_ options: BDCSPNOptions, _ extent: TransductiveClassifier.Extent) throws {
    self.options = options
    rectification = try PrototypeRectification(extent)
  }

  func solve(_ episode: EpisodeMatrix) -> Double? {
    let r = rectification
    episode.normalizeRows()
    r.prepare(episode, shifts: true)
    r.assign(episode, scale: options.scale)
    let members = membersOfClasses(episode)
    for k in 0..<episode.classes { r.setPrototype(k, by: members[k], of: episode) }
    r.compare(episode.query, of: episode, with: r.prototypes)
    episode.scores.update(
      from: r.cosines + episode.supportRows * episode.classes,
      count: episode.queryRows * episode.classes)
    return nil
  }

  /// The rows of S_k, for each class.
  private func membersOfClasses(_ episode: EpisodeMatrix) -> [[Int]] {
    let (p, classes) = (rectification.probabilities, episode.classes)
    var members = [[Int]](repeating: [], count: classes)
    var candidates = members
    for n in episode.support { members[episode.labels[n]].append(n) }
    for n in episode.query {
      candidates[firstMaximum(of: classes) { p[n * classes + $0] }].append(n)
    }
    for k in 0..<classes {
      // The first of equally probable queries are taken.
      let order = candidates[k].sorted {
        let (one, other) = (p[$0 * classes + k], p[$1 * classes + k])
        return one == other ? $0 < $1 : one > other
      }
      members[k] += order.prefix(options.pseudoLabels)
    }
    return members
  }
}
