internal import CIntrinsics

extension SIMD where Scalar: FloatingPoint {
  /// self + a * b, rounded once where the instruction set has a fused multiply-add, twice where it
  /// has not: there `addingProduct` is a call of the C library for every lane, some 100 times
  /// slower. Builds for different sets may differ in the last bit.
  @inline(__always)
  func addingRelaxedProduct(_ a: Self, _ b: Self) -> Self {
    SKD_HAS_FMA == 1 ? addingProduct(a, b) : self + a * b
  }

  /// self += a * b, rounded as `addingRelaxedProduct` is.
  @inline(__always)
  mutating func addRelaxedProduct(_ a: Self, _ b: Self) { self = addingRelaxedProduct(a, b) }
}
