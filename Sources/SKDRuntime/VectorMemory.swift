/// Covers `0..<count` by vectors: calls `body(start, lanes)` with `lanes` = 16, and last with what
/// is left. The first calls have a constant `lanes`, so that loads and stores become single
/// instructions.
@inlinable @inline(__always)
public func forEachVector(_ count: Int, _ body: (_ start: Int, _ lanes: Int) -> Void) {
  var start = 0
  while start &+ 16 <= count {
    body(start, 16)
    start &+= 16
  }
  if start < count { body(start, count &- start) }
}

extension UnsafePointer<Float> {
  /// The `lanes` floats from `offset` on, at any alignment; lanes beyond are 0.
  @inlinable @inline(__always)
  public func vector(at offset: Int, lanes: Int = 16) -> SIMD16<Float> {
    if lanes == 16 {
      return UnsafeRawPointer(self + offset).loadUnaligned(as: SIMD16<Float>.self)
    }
    var vector = SIMD16<Float>(repeating: 0)
    withUnsafeMutableBytes(of: &vector) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: self + offset, count: lanes &* 4))
    }
    return vector
  }
}

extension UnsafeMutablePointer<Float> {
  /// The `lanes` floats from `offset` on, at any alignment; lanes beyond are 0.
  @inlinable @inline(__always)
  public func vector(at offset: Int, lanes: Int = 16) -> SIMD16<Float> {
    UnsafePointer(self).vector(at: offset, lanes: lanes)
  }

  /// Writes the first `lanes` floats of `vector` from `offset` on, at any alignment.
  @inlinable @inline(__always)
  public func store(_ vector: SIMD16<Float>, at offset: Int, lanes: Int = 16) {
    if lanes == 16 {
      UnsafeMutableRawPointer(self + offset).storeBytes(of: vector, as: SIMD16<Float>.self)
    } else {
      withUnsafeBytes(of: vector) {
        UnsafeMutableRawPointer(self + offset).copyMemory(
          from: $0.baseAddress.unsafelyUnwrapped, byteCount: lanes &* 4)
      }
    }
  }
}
