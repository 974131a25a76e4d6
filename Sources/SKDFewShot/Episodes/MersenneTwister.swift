/// NumPy's legacy generator: MT19937 as `numpy.random.RandomState(seed)` seeds and uses it.
///
/// Only for drawing the episodes of published results; everything else uses `CounterRandom`.
public struct MersenneTwister: Sendable {
  private static let size = 624
  private static let shift = 397

  private var state: [UInt32]
  private var position = size

  /// Seeds by the classic 32-bit initialisation.
  public init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(Self.size)
    for i in 1..<Self.size {
      let previous = state[i - 1]
      state.append(1_812_433_253 &* (previous ^ (previous >> 30)) &+ UInt32(i))
    }
  }

  /// The next 32-bit word.
  public mutating func nextWord() -> UInt32 {
    if position == Self.size { twist() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9d2c_5680
    word ^= (word << 15) & 0xefc6_0000
    return word ^ (word >> 18)
  }

  private mutating func twist() {
    for i in 0..<Self.size {
      let joined = (state[i] & 0x8000_0000) | (state[(i + 1) % Self.size] & 0x7fff_ffff)
      let mixed = state[(i + Self.shift) % Self.size] ^ (joined >> 1)
      state[i] = joined & 1 == 0 ? mixed : mixed ^ 0x9908_b0df
    }
    position = 0
  }

  /// An integer in `0...maximum`, by rejection under the smallest covering mask.
  public mutating func interval(through maximum: UInt32) -> UInt32 {
    if maximum == 0 { return 0 }
    let mask = UInt32.max >> UInt32(maximum.leadingZeroBitCount)
    while true {
      let word = nextWord() & mask
      if word <= maximum { return word }
    }
  }

  /// A permutation of `0..<count`; `count` below 2^32.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(interval(through: UInt32(i))))
    }
    return order
  }
}
