/// A blend of every pixel p with a degenerate image d, as PIL's `ImageEnhance` computes it:
///
///     truncate(clamp(d + factor * (p - d), 0...255)),       in float32, without fused operations
///
/// d is black, the mean luma of the image, or the luma of the pixel itself.
struct ColorBlend {
  enum Degenerate {
    case black
    case gray(Float)
    case ownLuma
  }

  var degenerate: Degenerate
  var factor: Float

  @inline(__always)
  func apply(to block: inout RGBBlock) {
    let factors = SIMD16(repeating: factor)
    // Before the cases part: the compiler takes a conversion apart that it finds in several.
    var (red, green, blue) = (floats(block.red), floats(block.green), floats(block.blue))
    let other: SIMD16<Float>
    switch degenerate {
    case .black:
      block.red = truncated(least(factors * red, 255))
      block.green = truncated(least(factors * green, 255))
      block.blue = truncated(least(factors * blue, 255))
      return
    case .gray(let value): other = SIMD16(repeating: value)
    case .ownLuma: other = floats(block.luma)
    }
    red = other + factors * (red - other)
    green = other + factors * (green - other)
    blue = other + factors * (blue - other)
    if factor > 1 {  // up to 1 the result is between p and d
      red = least(greatest(red, 0), 255)
      green = least(greatest(green, 0), 255)
      blue = least(greatest(blue, 0), 255)
    }
    block.red = truncated(red)
    block.green = truncated(green)
    block.blue = truncated(blue)
  }
}

@inline(__always)
private func least(_ v: SIMD16<Float>, _ bound: Float) -> SIMD16<Float> {
  let bounds = SIMD16(repeating: bound)
  return v.replacing(with: bounds, where: v .> bounds)
}

@inline(__always)
private func greatest(_ v: SIMD16<Float>, _ bound: Float) -> SIMD16<Float> {
  let bounds = SIMD16(repeating: bound)
  return v.replacing(with: bounds, where: v .< bounds)
}

/// Up to three blends, in order.
struct ColorBlends {
  private var slots: (ColorBlend, ColorBlend, ColorBlend)
  private(set) var count = 0

  init() {
    let unused = ColorBlend(degenerate: .black, factor: 1)
    slots = (unused, unused, unused)
  }

  mutating func append(_ blend: ColorBlend) {
    switch count {
    case 0: slots.0 = blend
    case 1: slots.1 = blend
    default: slots.2 = blend
    }
    count &+= 1
  }

  @inline(__always)
  func apply(to block: inout RGBBlock) {
    if count > 0 { slots.0.apply(to: &block) }
    if count > 1 { slots.1.apply(to: &block) }
    if count > 2 { slots.2.apply(to: &block) }
  }
}
