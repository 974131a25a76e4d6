/// e^x of each lane, to 2 units in the last place; 0 below -708, and the largest finite values from
/// 709.7 on. A NaN stays one if the lowest 12 bits of its payload are 0, as after arithmetic.
///
/// x = n log 2 + r with |r| <= log(2) / 2, and e^r is its Taylor series.
@inline(__always)
func exponential(_ x: DoubleVector) -> DoubleVector {
  let isTiny = x .< -708
  let x = x.replacing(with: 709.7, where: x .> 709.7).replacing(with: -708, where: isTiny)
  // Adding 1.5 * 2^52 rounds to an integer, and leaves it in the lowest bits.
  let shifted = DoubleVector(repeating: 0x1.8p52).addingRelaxedProduct(
    x, DoubleVector(repeating: 1.4426950408889634))
  let n = shifted - 0x1.8p52
  let r = x.addingRelaxedProduct(n, DoubleVector(repeating: -0x1.62e42fefa38p-1))
    .addingRelaxedProduct(n, DoubleVector(repeating: -0x1.ef35793c7673p-45))
  let inverseFactorials: InlineArray<14, Double> = [
    1 / 6_227_020_800, 1 / 479_001_600, 1 / 39_916_800, 1 / 3_628_800, 1 / 362_880, 1 / 40_320,
    1 / 5_040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1, 1,
  ]
  let series = polynomial(inverseFactorials, at: r)
  let bits = unsafeBitCast(series, to: SIMD8<UInt64>.self)
  let exponent = unsafeBitCast(shifted, to: SIMD8<UInt64>.self) &<< 52
  return unsafeBitCast(bits &+ exponent, to: DoubleVector.self).replacing(with: 0, where: isTiny)
}

/// log(1 + x) of each lane in 0...1, to 2 units in the last place; a NaN stays one.
///
/// log(1 + x) = 2 artanh(s), s = x / (2 + x) <= 1/3, by the series of artanh.
@inline(__always)
func logarithmOfOnePlus(_ x: DoubleVector) -> DoubleVector {
  let s = x / (x + 2)
  let square = s * s
  let inverseOdds: InlineArray<18, Double> = [
    1 / 35, 1 / 33, 1 / 31, 1 / 29, 1 / 27, 1 / 25, 1 / 23, 1 / 21, 1 / 19, 1 / 17, 1 / 15, 1 / 13,
    1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1,
  ]
  let series = polynomial(inverseOdds, at: square)
  return 2 * s * series
}

/// Coefficients of the highest power first.
@inline(__always)
private func polynomial<let count: Int>(
  _ coefficients: InlineArray<count, Double>, at x: DoubleVector
) -> DoubleVector {
  var sum = DoubleVector(repeating: coefficients[0])
  for i in 1..<count {
    sum = DoubleVector(repeating: coefficients[i]).addingRelaxedProduct(sum, x)
  }
  return sum
}
