/// Purpose of a random number. Different purposes never share a stream.
public enum RandomPurpose: UInt32, Sendable {
  case initialization = 1
  case dropout, dropBlock
  case shuffle, augmentation, supportAugmentation
  case episodes
  case rotations
  case episodeExtents, queryProportions
}

/// A stateless random stream, addressed by (seed, purpose, step, index).
///
/// Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the
/// value at a position depends on the address alone, not on threads or on earlier draws, and
/// survives a resume.
public struct CounterRandom: Sendable {
  @usableFromInline let key: SIMD2<UInt32>
  @usableFromInline let index: UInt32
  @usableFromInline let step: UInt32
  @usableFromInline let purpose: UInt32

  /// - Parameters:
  ///   - seed: The user's seed.
  ///   - purpose: Purpose of the numbers.
  ///   - step: Training step, epoch or episode; below 2^48 (its upper bits share the purpose's
  ///     word).
  ///   - index: Layer, image or parameter within the step; taken modulo 2^32.
  @inlinable
  public init(seed: UInt64, purpose: RandomPurpose, step: Int = 0, index: Int = 0) {
    key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
    self.index = UInt32(truncatingIfNeeded: index)
    self.step = UInt32(truncatingIfNeeded: step)
    self.purpose = purpose.rawValue | UInt32(truncatingIfNeeded: step >> 32) << 16
  }

  /// Four 32-bit words, independent and uniform.
  ///
  /// - Complexity: O(1); ten multiply rounds.
  @inlinable
  public func words(at block: Int) -> SIMD4<UInt32> {
    philox4x32(counter: [UInt32(truncatingIfNeeded: block), index, step, purpose], key: key)
  }

  /// The 32-bit word at `position`.
  @inlinable
  public func word(at position: Int) -> UInt32 { words(at: position >> 2)[position & 3] }

  /// A number in [0, 1), a multiple of 2^-24, hence exact in float32.
  @inlinable
  public func uniform(at position: Int) -> Float { unitInterval(word(at: position)) }

  /// An integer in `0..<bound`, by multiply-shift; `bound` < 2^32. Bias below bound / 2^32.
  @inlinable
  public func integer(below bound: Int, at position: Int) -> Int {
    Int((UInt64(word(at: position)) &* UInt64(bound)) >> 32)
  }
}

/// Maps a random word to [0, 1): its upper 24 bits as a fraction.
@inlinable
public func unitInterval(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }

/// The Philox-4x32-10 block function.
@inlinable
public func philox4x32(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
  var (k0, k1) = (key[0], key[1])
  for _ in 0..<10 {
    let product0 = UInt64(c0) &* 0xD251_1F53
    let product1 = UInt64(c2) &* 0xCD9E_8D57
    c0 = UInt32(truncatingIfNeeded: product1 >> 32) ^ c1 ^ k0
    c1 = UInt32(truncatingIfNeeded: product1)
    c2 = UInt32(truncatingIfNeeded: product0 >> 32) ^ c3 ^ k1
    c3 = UInt32(truncatingIfNeeded: product0)
    k0 &+= 0x9E37_79B9
    k1 &+= 0xBB67_AE85
  }
  return [c0, c1, c2, c3]
}
