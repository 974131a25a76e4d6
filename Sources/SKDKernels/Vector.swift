internal import CInstructionSet

/// What one register of this instruction set holds, on NEON two: SIMD16<Float> on AVX-512,
/// SIMD8<Float> on AVX2 and NEON, SIMD4<Float> else. It divides 16, and so `blockWidth`.
///
/// Arithmetic on it is written for this type: in generic code the compiler takes it lane by lane.
typealias Vector = skd_tile_vector

/// Covers `0..<count` by vectors: calls `body(start, lanes)` with all lanes, and last with what is
/// left. The first calls have a constant `lanes`, so that loads and stores become single
/// instructions.
@inline(__always)
func forEachNative(_ count: Int, _ body: (_ start: Int, _ lanes: Int) -> Void) {
  var start = 0
  while start &+ Vector.scalarCount <= count {
    body(start, Vector.scalarCount)
    start &+= Vector.scalarCount
  }
  if start < count { body(start, count &- start) }
}

extension UnsafePointer<Float> {
  /// The `lanes` floats from `offset` on, at any alignment; lanes beyond are 0.
  @inline(__always)
  func native(at offset: Int, lanes: Int = Vector.scalarCount) -> Vector {
    if lanes == Vector.scalarCount {
      return UnsafeRawPointer(self + offset).loadUnaligned(as: Vector.self)
    }
    var vector = Vector(repeating: 0)
    withUnsafeMutableBytes(of: &vector) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: self + offset, count: lanes &* 4))
    }
    return vector
  }
}

extension UnsafeMutablePointer<Float> {
  /// The `lanes` floats from `offset` on, at any alignment; lanes beyond are 0.
  @inline(__always)
  func native(at offset: Int, lanes: Int = Vector.scalarCount) -> Vector {
    UnsafePointer(self).native(at: offset, lanes: lanes)
  }

  /// Writes the first `lanes` floats of `vector` from `offset` on, at any alignment.
  @inline(__always)
  func storeNative(_ vector: Vector, at offset: Int, lanes: Int = Vector.scalarCount) {
    let target = UnsafeMutableRawPointer(self + offset)
    if lanes == Vector.scalarCount {
      target.storeBytes(of: vector, as: Vector.self)
    } else {
      withUnsafeBytes(of: vector) {
        target.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: lanes &* 4)
      }
    }
  }
}
