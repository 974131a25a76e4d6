import SKDRuntime

/// The order of one training epoch: a permutation of `0..<count` (Fisher-Yates), addressed by
/// (seed, epoch).
///
/// - Parameters:
///   - count: `0..<2^32`.
///   - epoch: Below 2^48.
/// - Complexity: O(count).
public func shuffledOrder(count: Int, seed: UInt64, epoch: Int) -> [Int] {
  var order = [Int64](repeating: 0, count: count)
  order.withUnsafeMutableBufferPointer { fillShuffledOrder($0, seed: seed, epoch: epoch) }
  return order.map(Int.init)
}

/// Writes `shuffledOrder` to memory of the caller, without allocating.
public func fillShuffledOrder(
  _ order: UnsafeMutableBufferPointer<Int64>, seed: UInt64, epoch: Int
) {
  let random = CounterRandom(seed: seed, purpose: .shuffle, step: epoch)
  for i in order.indices { order[i] = Int64(i) }
  for i in order.indices.dropFirst().reversed() {
    order.swapAt(i, random.integer(below: i + 1, at: i))
  }
}
