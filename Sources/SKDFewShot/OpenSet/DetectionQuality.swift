/// How well a score tells queries of known classes from queries of unknown classes.
public struct DetectionQuality: Sendable, Equatable {
  /// Area under the receiver operating characteristic, `0...1`: the probability that a known query
  /// has a larger score than an unknown one, where equal scores count one half.
  public var auroc: Double
  /// False positive rate at 95 % true positive rate, `0...1`: the share of unknown queries whose
  /// score reaches the largest threshold that at least 95 % of the known queries reach.
  public var fpr95: Double

  public init(auroc: Double, fpr95: Double) {
    self.auroc = auroc
    self.fpr95 = fpr95
  }

  /// - Parameters:
  ///   - known: Scores of queries of known classes, at least one, none of them NaN.
  ///   - unknown: Scores of the other queries, at least one, none of them NaN.
  /// - Complexity: O(n log n) for `n` scores.
  public init(known: [Double], unknown: [Double]) {
    precondition(!known.isEmpty && !unknown.isEmpty)
    let (known, unknown) = (known.sorted(), unknown.sorted())
    auroc =
      Double(Self.twiceTheWins(of: known, over: unknown))
      / (2 * Double(known.count) * Double(unknown.count))
    let accepted = (95 * known.count + 99) / 100  // 95 %, rounded up
    let threshold = known[known.count - accepted]
    let rejected = unknown.firstIndex { $0 >= threshold } ?? unknown.count
    fpr95 = Double(unknown.count - rejected) / Double(unknown.count)
  }

  /// The statistic of Mann and Whitney, doubled: 2 for each pair whose known score is larger, and 1
  /// for each pair of equal scores. Both lists ascend.
  private static func twiceTheWins(of known: [Double], over unknown: [Double]) -> Int {
    var (below, through) = (0, 0)  // unknown scores below the known one, and up to it
    var wins = 0
    for score in known {
      while below < unknown.count && unknown[below] < score { below += 1 }
      through = max(through, below)
      while through < unknown.count && unknown[through] == score { through += 1 }
      wins += below + through
    }
    return wins
  }
}
