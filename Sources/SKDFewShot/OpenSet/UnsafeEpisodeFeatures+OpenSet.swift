import SKDRuntime

extension UnsafeEpisodeFeatures {
  /// Scores the queries of each episode against its support set, episodes in parallel, and measures
  /// how well the scores tell known from unknown classes. Each
  /// episode has queries of both.
  ///
  /// - Parameters:
  ///   - aurocs: `[count]`; overwritten.
  ///   - fpr95s: `[count]`; overwritten.
  /// - Throws: `SKDError.outOfMemory`, before anything is written.
  public func measureOpenSet(
    _ score: OpenSetScore, aurocs: UnsafeMutablePointer<Double>,
    fpr95s: UnsafeMutablePointer<Double>
  ) throws {
    // A scorer, thus its memory, for each worker.
    let workers = min(count, WorkerPool.shared.threadCount)
    let scorers = try (0..<workers).map { _ in
      try OpenSetScorer(score, classes: ways, dimensions: dimensions)
    }
    WorkerPool.shared.forEach(count, workers: workers) { episode, worker in
      let quality = quality(of: episode, scorers[worker])
      aurocs[episode] = quality.auroc
      fpr95s[episode] = quality.fpr95
    }
  }

  private func quality(of episode: Int, _ scorer: OpenSetScorer) -> DetectionQuality {
    scorer.fit(
      support + episode * supportRows * dimensions, labels: supportLabels, rows: supportRows)
    var (known, unknown): ([Double], [Double]) = ([], [])
    for i in episode * queryRows..<(episode + 1) * queryRows {
      let score = scorer.score(of: features + Int(query[i]) * dimensions)
      if queryLabels[i] < Int64(ways) { known.append(score) } else { unknown.append(score) }
    }
    return DetectionQuality(known: known, unknown: unknown)
  }
}
