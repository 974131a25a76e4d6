/// Normalisation of an image's bytes: `(v / 255 - mean[c]) / std[c]`, in float32 and in this
/// order, as torchvision computes it.
public struct PixelNormalization: Sendable {
  let vectors: NormalizationVectors

  /// - Parameters:
  ///   - mean: `channels` values on the 0...1 scale.
  ///   - std: Likewise, positive.
  ///   - channels: In 1...4, so that a block of 48 bytes holds whole pixels.
  public init(mean: UnsafePointer<Float>, std: UnsafePointer<Float>, channels: Int) {
    precondition((1...4).contains(channels))
    var vectors = NormalizationVectors()
    for i in 0..<16 {
      vectors.mean.0[i] = mean[i % channels]
      vectors.mean.1[i] = mean[(i + 16) % channels]
      vectors.mean.2[i] = mean[(i + 32) % channels]
      vectors.std.0[i] = std[i % channels]
      vectors.std.1[i] = std[(i + 16) % channels]
      vectors.std.2[i] = std[(i + 32) % channels]
    }
    self.vectors = vectors
  }
}

/// Normalises `count` bytes, the values of whole pixels: `output[i] = (bytes[i] / 255 - mean) / std`
/// with the mean and std of the channel that i is of.
///
/// Overwrites `output`; allocates nothing.
public func normalizePixels(
  _ bytes: UnsafePointer<UInt8>, count: Int, normalization: PixelNormalization,
  into output: UnsafeMutablePointer<Float>
) {
  let vectors = normalization.vectors
  forEachBlock(of: count) { offset in
    vectors.normalize(ByteBlock(first48: bytes + offset).values, into: output + offset)
  } rest: { offset, byteCount in
    let block = ByteBlock(bytes + offset, byteCount: byteCount)
    vectors.normalize(block.values, into: output + offset, count: byteCount)
  }
}

/// Mean and standard deviation of each of 48 consecutive values.
struct NormalizationVectors: Sendable {
  typealias Values = (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>)

  var mean: Values = (.init(repeating: 0), .init(repeating: 0), .init(repeating: 0))
  var std: Values = (.init(repeating: 1), .init(repeating: 1), .init(repeating: 1))

  @inline(__always)
  func callAsFunction(_ values: Values) -> Values {
    (
      (fraction(values.0) - mean.0) / std.0, (fraction(values.1) - mean.1) / std.1,
      (fraction(values.2) - mean.2) / std.2
    )
  }

  /// Normalises 48 numbers in 0...255.
  @inline(__always)
  func normalize(_ values: Values, into output: UnsafeMutablePointer<Float>) {
    let normalized = self(values)
    output.store(normalized.0, at: 0)
    output.store(normalized.1, at: 16)
    output.store(normalized.2, at: 32)
  }

  /// Writes the first `count` results, fewer than 48.
  func normalize(_ values: Values, into output: UnsafeMutablePointer<Float>, count: Int) {
    withUnsafeBytes(of: self(values)) {
      UnsafeMutableRawPointer(output).copyMemory(
        from: $0.baseAddress.unsafelyUnwrapped, byteCount: count &* MemoryLayout<Float>.stride)
    }
  }
}

/// v / 255, correctly rounded for the integers v in 0...255, without a division: the first product
/// is exact, for its factor has nine bits, and the second adds the missing part of the factor.
@inline(__always)
private func fraction(_ v: SIMD16<Float>) -> SIMD16<Float> { v * 0x1.01p-8 + v * 0x1.010102p-24 }
