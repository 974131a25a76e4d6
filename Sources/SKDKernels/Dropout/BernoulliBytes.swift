import SKDRuntime

/// bytes[i] = 1 with `probability`, else 0; or the other way round if `inverted`.
///
/// An event happens where the random word at position first + i is below probability · 2^32, so its
/// probability is exact to 2^-33.
///
/// - Parameters:
///   - bytes: `count` elements; overwritten.
///   - probability: In 0...1.
///   - first: Position of the first byte's word in the stream.
/// - Complexity: O(count); allocates nothing.
func fillBernoulli(
  _ bytes: UnsafeMutablePointer<UInt8>, count: Int, probability: Double, inverted: Bool = false,
  random: CounterRandom, from first: Int = 0
) {
  let threshold = Int64((probability * 0x1p32).rounded())
  let (hit, miss): (UInt8, UInt8) = inverted ? (0, 1) : (1, 0)
  if threshold == 0 {
    bytes.update(repeating: miss, count: count)
    return
  }
  let last = SIMD16<UInt32>(repeating: UInt32(threshold - 1))  // the largest word that is a hit
  forEachChunk(of: count) { start, end in
    var i = start
    func drawOne() {
      bytes[i] = random.word(at: first + i) <= last[0] ? hit : miss
      i += 1
    }
    while i < end && (first + i) % 4 != 0 { drawOne() }  // up to a block of four words
    while i + 64 <= end {
      let words = random.wordsOf16Blocks(from: (first + i) / 4)
      // Lane j of vector k is word 4 j + k: byte k, from the low end, of the 32-bit lane j.
      var packed = SIMD16<UInt32>(repeating: UInt32(miss) &* 0x0101_0101)
      packed ^= SIMD16(repeating: 0).replacing(with: 0x0000_0001, where: words.0 .<= last)
      packed ^= SIMD16(repeating: 0).replacing(with: 0x0000_0100, where: words.1 .<= last)
      packed ^= SIMD16(repeating: 0).replacing(with: 0x0001_0000, where: words.2 .<= last)
      packed ^= SIMD16(repeating: 0).replacing(with: 0x0100_0000, where: words.3 .<= last)
      UnsafeMutableRawPointer(bytes + i).storeBytes(of: packed, as: SIMD16<UInt32>.self)
      i += 64
    }
    while i < end { drawOne() }
  }
}
