/// Hands the gradients of a backward pass to the other processes as soon as they are final, so that
/// they travel while the pass goes on.
final class GradientExchange {
  /// Bytes that are worth a message of their own: 1 MB.
  private static let leastCount = 1 << 18

  private let store: ParameterStore
  private let share: BatchShard
  /// Entries from here on are handed over.
  private var end: Int

  init(_ store: ParameterStore, _ share: BatchShard) {
    (self.store, self.share, end) = (store, share, store.entries.count)
  }

  /// Hands over the gradients that are final, once there are enough of them.
  ///
  /// - Parameter first: Number of the first entry whose gradient is final, as are all later ones.
  func handOver(from first: Int) throws {
    let ranges = store.gradientRanges(of: first..<end)
    if ranges.reduce(0, { $0 + $1.count }) >= Self.leastCount { try handOver(ranges, from: first) }
  }

  /// Hands over the rest, and waits until all gradients are sums over all processes.
  func finish() throws {
    try handOver(store.gradientRanges(of: 0..<end), from: 0)
    try clearingIfItFails { try share.awaitGradients() }
  }

  private func handOver(_ ranges: [Range<Int>], from first: Int) throws {
    for range in ranges {
      try clearingIfItFails {
        try share.beginGradients(store.gradients.pointer + range.lowerBound, range.count)
      }
    }
    end = first
  }

  /// Between entries there are gaps of zeros, which are handed over too and never written again: an
  /// all-reduce that failed must not leave values there.
  private func clearingIfItFails(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      store.gradients.pointer.update(repeating: 0, count: store.gradients.capacity)
      throw error
    }
  }
}
