import CSKD
import XCTest

/// Threads that add up what each brings, as processes do through MPI: in order of rank, so that all
/// have the same bits.
final class Meeting: @unchecked Sendable {
  private let ranks: Int
  private let condition = NSCondition()
  private var brought: [[Double]?]
  private var sums: [Double] = []
  private var taken = 0

  init(ranks: Int = 2) {
    self.ranks = ranks
    brought = Array(repeating: nil, count: ranks)
  }

  func rank(_ number: Int) -> Rank { Rank(self, number) }

  /// The sums of what all ranks bring; waits for them.
  fileprivate func sum(_ values: [Double], of rank: Int) -> [Double] {
    condition.lock()
    defer { condition.unlock() }
    while taken > 0 { condition.wait() }  // the last meeting is not over
    brought[rank] = values
    let all = brought.compactMap(\.self)
    if all.count == ranks {
      sums = all.dropFirst().reduce(all[0]) { zip($0, $1).map { $0 + $1 } }
      taken = ranks
      condition.broadcast()
    }
    while taken == 0 { condition.wait() }
    let result = sums
    taken -= 1
    if taken == 0 {
      brought = Array(repeating: nil, count: ranks)
      condition.broadcast()
    }
    return result
  }

  /// One of those who meet: the context of a `skd_batch_share`.
  final class Rank {
    private let meeting: Meeting
    private let number: Int
    /// Gradients wait to be added up until they are awaited, and hold NaN so that nobody reads them.
    private var pending: [(pointer: UnsafeMutablePointer<Float>, values: [Float])] = []

    fileprivate init(_ meeting: Meeting, _ number: Int) {
      (self.meeting, self.number) = (meeting, number)
    }

    /// Lives as long as this object, which a test must keep for the call.
    func share(first: Int, total: Int, syncs: Int32) -> skd_batch_share {
      skd_batch_share(
        first: Int64(first), total: Int64(total), sync_batch_norm: syncs,
        sum: { context, values, count in
          guard let values, count > 0 else { return 9 }
          Rank.from(context).sum(UnsafeMutableBufferPointer(start: values, count: Int(count)))
          return 0
        },
        begin_gradients: { context, gradients, count in
          guard let gradients, count > 0 else { return 9 }
          Rank.from(context).begin(gradients, Int(count))
          return 0
        },
        await_gradients: { context in
          Rank.from(context).finish()
          return 0
        }, context: Unmanaged.passUnretained(self).toOpaque())
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Rank {
      guard let context else { fatalError("the context is handed on") }
      return Unmanaged<Rank>.fromOpaque(context).takeUnretainedValue()
    }

    private func sum(_ values: UnsafeMutableBufferPointer<Double>) {
      let sums = meeting.sum(Array(values), of: number)
      for (i, sum) in sums.enumerated() { values[i] = sum }
    }

    private func begin(_ gradients: UnsafeMutablePointer<Float>, _ count: Int) {
      pending.append((gradients, (0..<count).map { gradients[$0] }))
      gradients.update(repeating: .nan, count: count)
    }

    private func finish() {
      for (pointer, values) in pending {
        let sums = meeting.sum(values.map(Double.init), of: number)
        for (i, sum) in sums.enumerated() { pointer[i] = Float(sum) }
      }
      pending = []
    }
  }
}
