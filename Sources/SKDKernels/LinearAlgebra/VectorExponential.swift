// Exponential and logarithm of all lanes, for kernels whose time they are. The C library has them for
// one number a call. The polynomials are those of Cephes (S. L. Moshier, "Methods and Programs for
// Mathematical Functions", 1989).

/// e^x, within 2 ulp from -87 to 88; it is constant beyond.
@inline(__always)
func exponential(_ x: LineVector) -> LineVector {
  let low = LineVector(repeating: -87)
  let high = LineVector(repeating: 88)
  let bounded = x.replacing(with: low, where: x .< low).replacing(with: high, where: x .> high)
  // x = n log 2 + r. The sum rounds n to an integer, in the last bits of its mantissa.
  let shifted = LineVector(repeating: roundingShift)
    .addingRelaxedProduct(bounded, LineVector(repeating: 1.442_695_04))
  let n = shifted - LineVector(repeating: roundingShift)
  let r = bounded.addingRelaxedProduct(n, LineVector(repeating: -0.693_359_375))
    .addingRelaxedProduct(n, LineVector(repeating: 2.121_944_4e-4))
  let sum = LineVector(repeating: 1.987_569_1e-4)
    .continued(r, 1.398_199_95e-3).continued(r, 8.333_452e-3).continued(r, 4.166_579_6e-2)
    .continued(r, 0.166_666_66).continued(r, 0.5)
  let fraction = (r + 1).addingRelaxedProduct(sum, r * r)
  let exponent = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< SIMD16(repeating: 23)
  let power = unsafeBitCast(exponent &+ SIMD16(repeating: 0x3F80_0000), to: LineVector.self)
  return fraction * power
}

/// The natural logarithm of positive normal numbers, within 2 ulp.
@inline(__always)
func logarithm(_ x: LineVector) -> LineVector {
  // x = 2^n m, m from sqrt(1/2) to sqrt(2).
  let bits = unsafeBitCast(x, to: SIMD16<Int32>.self)
  let exponent = (bits &- SIMD16(repeating: 0x3F35_04F3)) &>> SIMD16(repeating: 23)
  let m = unsafeBitCast(bits &- (exponent &<< SIMD16(repeating: 23)), to: LineVector.self)
  let shifted = unsafeBitCast(exponent &+ SIMD16(repeating: 0x4B40_0000), to: LineVector.self)
  let n = shifted - LineVector(repeating: roundingShift)
  let f = m - 1
  let sum = LineVector(repeating: 7.037_683_6e-2)
    .continued(f, -0.115_146_1).continued(f, 0.116_769_99).continued(f, -0.124_201_41)
    .continued(f, 0.142_493_23).continued(f, -0.166_680_58).continued(f, 0.200_007_15)
    .continued(f, -0.249_999_94).continued(f, 0.333_333_31)
  let square = f * f
  let tail = (f * square * sum).addingRelaxedProduct(n, LineVector(repeating: -2.121_944_4e-4))
    .addingRelaxedProduct(square, LineVector(repeating: -0.5))
  return (f + tail).addingRelaxedProduct(n, LineVector(repeating: 0.693_359_375))
}

/// 1.5 · 2^23: adding it to a number of magnitude below 2^22 rounds to an integer, whose two's
/// complement is in the last bits.
private let roundingShift: Float = 12_582_912

extension LineVector {
  /// One step of Horner's scheme: self · x + coefficient.
  @inline(__always)
  fileprivate func continued(_ x: LineVector, _ coefficient: Float) -> LineVector {
    LineVector(repeating: coefficient).addingRelaxedProduct(self, x)
  }
}
