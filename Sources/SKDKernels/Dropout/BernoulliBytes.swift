import SKDRuntime

/// bytes[i] = 1 with `probability`, else 0; or the other way round if `inverted`.
///
/// An event happens where the random word at position i is below probability · 2^32, so its
/// probability is exact to 2^-33.
///
/// - Parameters:
///   - bytes: `count` elements; overwritten.
///   - probability: In 0...1.
/// - Complexity: O(count); allocates nothing.
func fillBernoulli(
  _ bytes: UnsafeMutablePointer<UInt8>, count: Int, probability: Double, inverted: Bool = false,
  random: CounterRandom
) {
  let threshold = UInt64((probability * 0x1p32).rounded())
  let flip: UInt8 = inverted ? 1 : 0
  // The chunk is a multiple of 4: one block of random words is not drawn for two chunks.
  forEachChunk(of: count, size: 4096) { start, end in
    for first in stride(from: start, to: end, by: 4) {
      let words = random.words(at: first / 4)
      for i in first..<min(first + 4, end) {
        bytes[i] = (UInt64(words[i - first]) < threshold ? 1 : 0) ^ flip
      }
    }
  }
}
