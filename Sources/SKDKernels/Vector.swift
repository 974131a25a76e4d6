internal import CIntrinsics

/// The floats of one register of this instruction set, on NEON of two: SIMD16<Float> on AVX-512,
/// SIMD8<Float> on AVX2 and NEON, SIMD4<Float> else. It divides 16, and so `blockWidth`.
///
/// Arithmetic on it is written for this type: in generic code the compiler takes it lane by lane.
typealias Vector = skd_tile_vector

/// A cache line of floats. Sums down a column of a matrix take whole lines of its rows: with AVX2 that
/// is 1.7 times as fast as one register of each.
typealias LineVector = SIMD16<Float>

/// Covers `0..<count` by vectors: calls `body(start, lanes)` with all lanes, and last with the
/// remaining ones. The first calls have a constant `lanes`, so that loads and stores become single
/// instructions.
@inline(__always)
func forEachVector(
  _ count: Int, size: Int = Vector.scalarCount, _ body: (_ start: Int, _ lanes: Int) -> Void
) {
  var start = 0
  while start &+ size <= count {
    body(start, size)
    start &+= size
  }
  if start < count { body(start, count &- start) }
}

/// The largest multiple of the vector's lanes that is not above `count`.
@inline(__always)
func wholeVectors(_ count: Int) -> Int { count &- count % Vector.scalarCount }

extension UnsafePointer<Float> {
  /// The `lanes` floats from `offset` on, at any alignment; lanes beyond are 0.
  @inline(__always)
  func vector<V: SIMD>(at offset: Int, lanes: Int = V.scalarCount, as type: V.Type = Vector.self)
    -> V where V.Scalar == Float
  {
    if lanes == V.scalarCount { return UnsafeRawPointer(self + offset).loadUnaligned(as: V.self) }
    if V.self == Vector.self {
      return unsafeBitCast(skd_load_lanes(self + offset, lanes), to: V.self)
    }
    var vector = V(repeating: 0)
    withUnsafeMutableBytes(of: &vector) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: self + offset, count: lanes &* 4))
    }
    return vector
  }
}

extension UnsafeMutablePointer<Float> {
  /// The `lanes` floats from `offset` on, at any alignment; lanes beyond are 0.
  @inline(__always)
  func vector<V: SIMD>(at offset: Int, lanes: Int = V.scalarCount, as type: V.Type = Vector.self)
    -> V where V.Scalar == Float
  {
    UnsafePointer(self).vector(at: offset, lanes: lanes, as: type)
  }

  /// Writes the first `lanes` floats of `vector` from `offset` on, at any alignment.
  @inline(__always)
  func store<V: SIMD>(_ vector: V, at offset: Int, lanes: Int = V.scalarCount)
  where V.Scalar == Float {
    let target = UnsafeMutableRawPointer(self + offset)
    if lanes == V.scalarCount {
      target.storeBytes(of: vector, as: V.self)
    } else if V.self == Vector.self {
      skd_store_lanes(self + offset, unsafeBitCast(vector, to: Vector.self), lanes)
    } else {
      withUnsafeBytes(of: vector) {
        target.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: lanes &* 4)
      }
    }
  }
}
