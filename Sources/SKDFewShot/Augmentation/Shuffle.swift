import SKDRuntime

/// The order of one training epoch: a permutation of `0..<count` (Fisher-Yates), addressed by
/// (seed, epoch).
///
/// - Parameters:
///   - count: `0..<2^32`.
///   - epoch: Below 2^48.
/// - Complexity: O(count).
public func shuffledOrder(count: Int, seed: UInt64, epoch: Int) -> [Int] {
  let random = CounterRandom(seed: seed, purpose: .shuffle, step: epoch)
  var order = Array(0..<count)
  for i in stride(from: count - 1, to: 0, by: -1) {
    order.swapAt(i, random.integer(below: i + 1, at: i))
  }
  return order
}
