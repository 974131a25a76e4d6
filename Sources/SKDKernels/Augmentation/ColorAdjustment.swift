/// Applies colour operations to RGB bytes as PIL's `ImageEnhance` does them, bit for bit.
///
/// Only contrast looks at the whole image, for its mean luma; the operations between two such
/// looks are done together, 16 pixels at a time in registers.
///
/// Works in place; allocates nothing.
///
/// - Parameters:
///   - pixels: `[pixelCount, 3]`.
///   - operations: With finite factors >= 0.
/// - Complexity: O(pixelCount).
public func adjustColors(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, operations: ColorOperations
) {
  let rest = adjustColorsButLast(pixels, pixelCount: pixelCount, operations: operations)
  adjust(pixels, pixelCount: pixelCount, blends: rest)
}

/// Applies colour operations and normalises the result, which saves `normalizePixels` its pass over
/// the bytes.
///
/// Overwrites `output`; allocates nothing.
///
/// - Parameters:
///   - pixels: `[pixelCount, 3]`; left in an intermediate state.
///   - operations: With finite factors >= 0.
///   - output: `[pixelCount, 3]`.
/// - Complexity: O(pixelCount).
public func adjustColorsAndNormalize(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, operations: ColorOperations,
  normalization: PixelNormalization, into output: UnsafeMutablePointer<Float>
) {
  let blends = adjustColorsButLast(pixels, pixelCount: pixelCount, operations: operations)
  let vectors = normalization.vectors
  forEachBlock(of: 3 * pixelCount) { offset in
    var block = RGBBlock(ByteBlock(first48: pixels + offset))
    blends.apply(to: &block)
    vectors.normalize(block.values, into: output + offset)
  } rest: { offset, byteCount in
    var block = RGBBlock(ByteBlock(pixels + offset, byteCount: byteCount))
    blends.apply(to: &block)
    vectors.normalize(block.values, into: output + offset, count: byteCount)
  }
}

/// Applies all operations before the last contrast, and returns the remaining work on each pixel.
private func adjustColorsButLast(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, operations: ColorOperations
) -> ColorBlends {
  var pending = ColorBlends()
  for operation in operations {
    switch operation {
    case .brightness(let factor):
      pending.append(ColorBlend(degenerate: .black, factor: factor))
    case .contrast(let factor):
      let sum = adjust(pixels, pixelCount: pixelCount, blends: pending)
      let mean = Double(sum) / Double(max(pixelCount, 1))
      pending = ColorBlends()
      pending.append(ColorBlend(degenerate: .gray(Float(Int(mean + 0.5))), factor: factor))
    case .saturation(let factor):
      pending.append(ColorBlend(degenerate: .ownLuma, factor: factor))
    }
  }
  return pending
}

/// Blends in place, and returns the sum of the luma of the result.
@discardableResult
private func adjust(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, blends: ColorBlends
) -> Int {
  var sum = 0
  // In parts, for the sums of a lane are of 32 bits.
  let partPixels = 1 << 20
  for part in stride(from: 0, to: pixelCount, by: partPixels) {
    let bytes = pixels + 3 * part
    var sums = SIMD16<UInt32>(repeating: 0)
    forEachBlock(of: 3 * min(partPixels, pixelCount - part)) { offset in
      var block = RGBBlock(ByteBlock(first48: bytes + offset))
      blends.apply(to: &block)
      sums &+= block.luma
      if blends.count > 0 { block.bytes.store(bytes + offset) }
    } rest: { offset, byteCount in
      var block = RGBBlock(ByteBlock(bytes + offset, byteCount: byteCount))
      blends.apply(to: &block)
      let luma = block.luma
      for i in 0..<byteCount / 3 { sum &+= Int(luma[i]) }  // the other lanes are no pixels
      block.bytes.store(bytes + offset, byteCount: byteCount)
    }
    sum &+= Int(sums.wrappedSum())
  }
  return sum
}
