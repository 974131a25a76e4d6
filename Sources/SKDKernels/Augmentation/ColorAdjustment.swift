// Colour operations on RGB bytes as PIL's `ImageEnhance` does them, bit for bit: each blends the
// pixel p with a degenerate image d,
//
//     truncate(clamp(d + factor * (p - d), 0...255)),       in float32, without fused operations
//
// All work in place and allocate nothing; `factor` is finite and >= 0.

/// Blends `byteCount` bytes with black.
public func adjustBrightness(
  _ bytes: UnsafeMutablePointer<UInt8>, byteCount: Int, factor: Float
) {
  for i in 0..<byteCount { bytes[i] = blend(bytes[i], with: 0, factor) }
}

/// Blends `pixelCount` RGB pixels with the rounded mean of their luma.
public func adjustContrast(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, factor: Float
) {
  guard pixelCount > 0 else { return }
  var sum = 0
  for i in 0..<pixelCount { sum &+= Int(luma(pixels + 3 * i)) }
  let mean = Float(Int(Double(sum) / Double(pixelCount) + 0.5))
  for i in 0..<3 * pixelCount { pixels[i] = blend(pixels[i], with: mean, factor) }
}

/// Blends each of `pixelCount` RGB pixels with its own luma.
public func adjustSaturation(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, factor: Float
) {
  for i in 0..<pixelCount {
    let pixel = pixels + 3 * i
    let gray = Float(luma(pixel))
    for c in 0..<3 { pixel[c] = blend(pixel[c], with: gray, factor) }
  }
}

/// ITU-R 601-2 luma in 16-bit fixed point, rounded: PIL's conversion to "L".
@inline(__always)
private func luma(_ rgb: UnsafePointer<UInt8>) -> UInt32 {
  (19595 &* UInt32(rgb[0]) &+ 38470 &* UInt32(rgb[1]) &+ 7471 &* UInt32(rgb[2]) &+ 32768) >> 16
}

@inline(__always)
private func blend(_ value: UInt8, with degenerate: Float, _ factor: Float) -> UInt8 {
  let product = factor * (Float(value) - degenerate)
  return UInt8(min(max(degenerate + product, 0), 255))
}
