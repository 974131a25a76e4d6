import SKDRuntime

/// Measures how many floating-point operations per second fused multiply-adds reach, in float32.
///
/// Chains of multiply-adds run in registers on all threads; the best of many short rounds counts, as
/// other work on the machine only ever takes away. A loop of another thread that holds the worker
/// pool leaves this one a single thread: measure while nothing else computes.
///
/// - Parameter threads: `1...WorkerPool.shared.threadCount`.
/// - Returns: Operations per second of all threads together; a multiply-add counts two.
/// - Complexity: About 0.3 seconds.
public func measurePeakRate(threads: Int) -> Double {
  let items = threads * 32
  return withUnsafeTemporaryAllocation(of: Float.self, capacity: items) { sums in
    nonisolated(unsafe) let sums = sums
    return MultiplyAddChains.allCases.map { chains in
      let operations = Double(items * chains.operations(links: linksPerItem))
      let clock = ContinuousClock()
      let begin = clock.now
      var best = Duration.seconds(Int.max / 2)
      var rounds = 0
      while rounds < 2 || begin.duration(to: clock.now) < .milliseconds(100) {
        let round = clock.measure {
          WorkerPool.shared.forEach(items, workers: threads) { item, _ in
            sums.initializeElement(at: item, to: chains.run(links: linksPerItem))
          }
        }
        best = min(best, round)
        rounds += 1
      }
      return operations / best.inSeconds
    }.max() ?? 0
  }
}

/// Some 30 microseconds of work at full speed.
private let linksPerItem = 20_000

extension Duration {
  /// This duration as a number of seconds.
  package var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
