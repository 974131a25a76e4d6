internal import CIntrinsics

/// Precision of the operands of a network's large matrix products. Everything else, sums included,
/// is float32 in both cases.
public enum Precision: String, CaseIterable, Sendable {
  case float32
  case bfloat16

  /// Bytes of an element.
  var size: Int { self == .float32 ? 4 : 2 }
  /// Elements of a cache line.
  var lineCount: Int { 64 / size }
  /// Floats that have room for so many elements.
  func floats(_ count: Int) -> Int { ceilDivide(count * size, 4) }
}

extension UnsafeMutablePointer<Float> {
  /// The memory as elements of another type.
  @inline(__always)
  func elements<Element: ProductOperand>(of _: Element.Type) -> UnsafeMutablePointer<Element> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: Element.self)
  }
}

extension UnsafePointer<Float> {
  /// The memory as elements of another type.
  @inline(__always)
  func elements<Element: ProductOperand>(of _: Element.Type) -> UnsafePointer<Element> {
    UnsafeRawPointer(self).assumingMemoryBound(to: Element.self)
  }
}

/// The upper half of a float32: its sign and exponent, and 7 of the 23 bits of its fraction.
struct BFloat16: Equatable {
  let bits: UInt16

  /// The nearest bfloat16, ties to even; denormals become zero.
  init(_ value: Float) {
    bits = skd_round_bfloat16(Vector(repeating: value))[0]
  }
}

extension Float {
  /// The same value.
  init(_ value: BFloat16) { self.init(bitPattern: UInt32(value.bits) << 16) }
}

/// Memory format of an operand of a matrix product.
///
/// The left operand is a blocked matrix, `[depth / 32][rows][32]`, the right one has 32 columns:
/// `[depth][32]` of floats, and `[depth / 2][32][2]` of bfloat16, the two of a pair together.
protocol ProductOperand {
  /// Writes a vector of the left operand.
  static func store(_ values: Vector, at target: UnsafeMutablePointer<Self>)

  /// Writes a vector of the right operand.
  ///
  /// Rows must be written in pairs, the even one first.
  ///
  /// - Parameters:
  ///   - operand: The right operand, or its first columns at an even row.
  ///   - k: Row, in `0..<depth`.
  ///   - column: First column.
  static func store(
    _ values: Vector, in operand: UnsafeMutablePointer<Self>, row k: Int, column: Int)
}

extension Float: ProductOperand {
  @inline(__always)
  static func store(_ values: Vector, at target: UnsafeMutablePointer<Float>) {
    target.store(values, at: 0)
  }

  @inline(__always)
  static func store(
    _ values: Vector, in operand: UnsafeMutablePointer<Float>, row k: Int, column: Int
  ) {
    operand.store(values, at: k &* blockWidth &+ column)
  }
}

extension BFloat16: ProductOperand {
  @inline(__always)
  static func store(_ values: Vector, at target: UnsafeMutablePointer<BFloat16>) {
    UnsafeMutableRawPointer(target).storeBytes(
      of: skd_round_bfloat16(values), as: skd_tile_bfloats.self)
  }

  @inline(__always)
  static func store(
    _ values: Vector, in operand: UnsafeMutablePointer<BFloat16>, row k: Int, column: Int
  ) {
    let offset = (k / 2 &* blockWidth &+ column) &* 2
    let target = UnsafeMutableRawPointer(operand + offset)
    var pairs = skd_tile_pairs(truncatingIfNeeded: skd_round_bfloat16(values))
    if k % 2 == 1 {
      // The even row has left room.
      pairs &<<= skd_tile_pairs(repeating: 16)
      pairs |= target.loadUnaligned(as: skd_tile_pairs.self)
    }
    target.storeBytes(of: pairs, as: skd_tile_pairs.self)
  }
}
