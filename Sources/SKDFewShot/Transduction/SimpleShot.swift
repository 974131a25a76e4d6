import SKDKernels
import SKDRuntime

/// SimpleShot's CL2N (Wang et al., arXiv:1911.04623): centred and L2-normalised features, and the
/// class with the nearest mean.
///
///     x ← x - mean of the episode,   x ← x / ||x||
///     score[q, k] = -||x_q - m_k||²,   m_k the mean of the support rows of class k
///
/// The paper centres with the mean of the base classes. Here it is the mean of the episode's support
/// and query rows, so that features suffice.
final class SimpleShot: TransductiveSolver {
  private let memory: AlignedBuffer<Double>  // the mean, then the class means

  init(_ extent: TransductiveClassifier.Extent) throws {
    memory = try AlignedBuffer(count: (1 + extent.classes) * paddedRowLength(extent.dimensions))
  }

  func solve(_ episode: EpisodeMatrix) -> Double? {
    let (mean, length) = (memory.pointer, episode.length)
    let classMeans = mean + length
    episode.center(by: mean)
    episode.normalizeRows()
    episode.averageClasses(into: classMeans)
    for (q, n) in episode.query.enumerated() {
      for k in 0..<episode.classes {
        episode.scores[q * episode.classes + k] = -squaredDistance(
          episode.row(n), classMeans + k * length, length: length)
      }
    }
    return nil
  }
}
