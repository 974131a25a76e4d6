extension CounterRandom {
  /// The words of 16 consecutive blocks at once: lane i of vector k is `words(at: first + i)[k]`.
  ///
  /// Each state word of the 16 blocks is kept as 8 pairs, for the multiplications are of the even
  /// and of the odd halves of 64-bit lanes.
  @inlinable @inline(__always)
  public func wordsOf16Blocks(
    from first: Int
  ) -> (SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>) {
    let lanes: SIMD16<UInt32> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    var c0 = unsafeBitCast(lanes &+ UInt32(truncatingIfNeeded: first), to: SIMD8<UInt64>.self)
    var c1 = SIMD8(repeating: doubled(index))
    var c2 = SIMD8(repeating: doubled(step))
    var c3 = SIMD8(repeating: doubled(purpose))
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let product0 = multiplyHalves(c0, by: 0xD251_1F53)
      let product1 = multiplyHalves(c2, by: 0xCD9E_8D57)
      c0 = product1.high ^ c1 ^ SIMD8(repeating: doubled(k0))
      c1 = product1.low
      c2 = product0.high ^ c3 ^ SIMD8(repeating: doubled(k1))
      c3 = product0.low
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (
      unsafeBitCast(c0, to: SIMD16<UInt32>.self), unsafeBitCast(c1, to: SIMD16<UInt32>.self),
      unsafeBitCast(c2, to: SIMD16<UInt32>.self), unsafeBitCast(c3, to: SIMD16<UInt32>.self)
    )
  }
}

/// `word` in both halves.
@inlinable @inline(__always)
func doubled(_ word: UInt32) -> UInt64 { UInt64(word) << 32 | UInt64(word) }

/// The upper and lower 32 bits of the products of all 16 32-bit halves with `factor`.
@inlinable @inline(__always)
func multiplyHalves(
  _ words: SIMD8<UInt64>, by factor: UInt64
) -> (high: SIMD8<UInt64>, low: SIMD8<UInt64>) {
  let lowHalf = SIMD8<UInt64>(repeating: 0xFFFF_FFFF)
  let even = (words & lowHalf) &* SIMD8(repeating: factor)
  let odd = (words &>> SIMD8(repeating: 32)) &* SIMD8(repeating: factor)
  let shift = SIMD8<UInt64>(repeating: 32)
  return ((even &>> shift) | (odd & ~lowHalf), (even & lowHalf) | (odd &<< shift))
}
