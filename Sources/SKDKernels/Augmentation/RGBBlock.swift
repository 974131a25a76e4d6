/// 16 pixels, a vector for each channel; every lane is in 0...255.
struct RGBBlock {
  var red: SIMD16<UInt32>
  var green: SIMD16<UInt32>
  var blue: SIMD16<UInt32>

  @inline(__always)
  init(_ block: ByteBlock) {
    let words = block.words
    red = words & 0xFF
    green = (words &>> 8) & 0xFF
    blue = words &>> 16
  }

  @inline(__always)
  private var words: SIMD16<UInt32> {
    // Sums, for the compiler would trace the bytes of a union back and need more shuffles.
    red &+ green &<< 8 &+ blue &<< 16
  }

  /// The pixels as interleaved bytes.
  @inline(__always)
  var bytes: ByteBlock { ByteBlock(words: words) }

  /// The interleaved values 0..<16, 16..<32 and 32..<48.
  @inline(__always)
  var values: (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>) {
    let values = interleaved(words)
    return (floats(values.0), floats(values.1), floats(values.2))
  }

  /// ITU-R 601-2 luma of each pixel in 16-bit fixed point, rounded: PIL's conversion to "L".
  @inline(__always)
  var luma: SIMD16<UInt32> {
    (19595 &* red &+ 38470 &* green &+ (7471 &* blue &+ 32768)) &>> 16
  }
}

// Lanes written out, for in a loop over them the compiler takes the arithmetic before it apart.

/// Converts integers below 2^31, exactly below 2^24.
@inline(__always)
func floats(_ integers: SIMD16<UInt32>) -> SIMD16<Float> {
  let v = unsafeBitCast(integers, to: SIMD16<Int32>.self)  // which every instruction set converts
  return SIMD16(
    Float(v[0]), Float(v[1]), Float(v[2]), Float(v[3]), Float(v[4]), Float(v[5]), Float(v[6]),
    Float(v[7]), Float(v[8]), Float(v[9]), Float(v[10]), Float(v[11]), Float(v[12]), Float(v[13]),
    Float(v[14]), Float(v[15]))
}

@inline(__always)
func converted(_ v: SIMD16<UInt8>) -> SIMD16<Float> {
  SIMD16(
    Float(v[0]), Float(v[1]), Float(v[2]), Float(v[3]), Float(v[4]), Float(v[5]), Float(v[6]),
    Float(v[7]), Float(v[8]), Float(v[9]), Float(v[10]), Float(v[11]), Float(v[12]), Float(v[13]),
    Float(v[14]), Float(v[15]))
}

/// Rounds numbers in 0..<2^31 down.
@inline(__always)
func truncated(_ v: SIMD16<Float>) -> SIMD16<UInt32> {
  let integers = SIMD16(
    Int32(v[0]), Int32(v[1]), Int32(v[2]), Int32(v[3]), Int32(v[4]), Int32(v[5]), Int32(v[6]),
    Int32(v[7]), Int32(v[8]), Int32(v[9]), Int32(v[10]), Int32(v[11]), Int32(v[12]), Int32(v[13]),
    Int32(v[14]), Int32(v[15]))
  return unsafeBitCast(integers, to: SIMD16<UInt32>.self)
}
