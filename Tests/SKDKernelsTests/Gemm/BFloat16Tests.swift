import SKDTestSupport
import XCTest

@testable import SKDKernels

/// Rounding to bfloat16, and the product of bfloat16 matrices.
final class BFloat16Tests: XCTestCase {
  func testRoundingIsToNearestWithTiesToEven() {
    let claims: [(UInt32, UInt16)] = [
      (0x3F80_0000, 0x3F80),  // 1
      (0x3F80_7FFF, 0x3F80), (0x3F80_8001, 0x3F81),
      (0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82), (0xBF81_8000, 0xBF82),  // ties
      (0x3FFF_C000, 0x4000),  // carries into the exponent
      (0x0000_0000, 0), (0x8000_0000, 0x8000),
      (0x0080_0000, 0x0080),  // the smallest that is not denormal
      (0x7F7F_FFFF, 0x7F80),  // the largest float is nearest to infinity
      (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80),
    ]
    for (bits, expected) in claims {
      XCTAssertEqual(
        BFloat16(Float(bitPattern: bits)).bits, expected, String(bits, radix: 16))
    }
  }

  func testDenormalsBecomeZerosOfTheirSign() {
    for bits: UInt32 in [1, 0x8000, 0x0001_0000, 0x007F_FFFF] {
      XCTAssertEqual(BFloat16(Float(bitPattern: bits)).bits, 0)
      XCTAssertEqual(BFloat16(-Float(bitPattern: bits)).bits, 0x8000)
    }
  }

  func testNaNStaysNaN() {
    for bits: UInt32 in [0x7FC0_0000, 0x7F80_0001, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFF80_0001] {
      XCTAssertTrue(Float(BFloat16(Float(bitPattern: bits))).isNaN, String(bits, radix: 16))
    }
  }

  func testRoundingKeepsEightBits() {
    for value in fill("rounding", shape: [1000], seed: 3) {
      XCTAssertEqual(Float(BFloat16(value)), value, accuracy: value.magnitude / 256)
    }
  }

  /// Tolerance 1e-6 of the largest value, as in float32: products of bfloat16 are exact in float32,
  /// and only their sums are rounded.
  func testMultiplyBlockMatchesNaiveReferenceOfRoundedOperands() {
    for rowCount in Array(0...16) + [28, 29, 64] {
      for depth in [1, 2, 7, 24, 32, 40, 64, 99, 160] { check(rowCount: rowCount, depth: depth) }
    }
  }

  func testMultiplyBlockComputesTheFirstColumns() {
    for columnCount in [1, 8, 16, 17, 24, 31] {
      for rowCount in Array(1...14) + [29] {
        check(rowCount: rowCount, columnCount: columnCount, depth: 33)
      }
    }
  }

  /// `a` is a blocked matrix with two spare rows a block; `c` has 3 unused floats after each row.
  private func check(rowCount: Int, columnCount: Int = 32, depth: Int) {
    let (blockStride, rowStride) = ((rowCount + 2) * 32, 35)
    let aValues = fill("a", shape: [max(rowCount, 1), depth], seed: depth).map(BFloat16.init)
    let bValues = fill("b", shape: [depth, 32], seed: depth)
    let c = GuardedBuffer(count: max(rowCount * rowStride - 3, 0))
    // Two bfloat16 to a float.
    let aMemory = GuardedBuffer(count: (depth + 31) / 32 * blockStride / 2)
    let bMemory = GuardedBuffer(count: (depth + 1) / 2 * 32, alignment: 64)
    let a = UnsafeMutableRawPointer(aMemory.pointer).assumingMemoryBound(to: BFloat16.self)
    let b = UnsafeMutableRawPointer(bMemory.pointer).assumingMemoryBound(to: BFloat16.self)
    for r in 0..<rowCount {
      // Behind an odd depth comes a zero.
      for k in 0..<depth + depth % 2 {
        a[k / 32 * blockStride + r * 32 + k % 32] =
          k < depth ? aValues[r * depth + k] : BFloat16(0)
      }
    }
    bValues.withUnsafeBufferPointer { values in
      for k in 0..<depth {
        for column in stride(from: 0, to: 32, by: Vector.scalarCount) {
          BFloat16.store(
            values.baseAddress!.vector(at: k * 32 + column), in: b, row: k, column: column)
        }
      }
    }
    multiplyBlock(
      a, blockStride: blockStride, rowCount: rowCount, b, depth: depth, columnCount: columnCount,
      into: c.pointer, rowStride: rowStride)

    var (actual, expected): ([Float], [Float]) = ([], [])
    for r in 0..<rowCount {
      for j in 0..<columnCount {
        let products = (0..<depth).map { k in
          Double(Float(aValues[r * depth + k])) * Double(Float(BFloat16(bValues[k * 32 + j])))
        }
        expected.append(Float(products.reduce(0, +)))
        actual.append(c.pointer[r * rowStride + j])
      }
      let written =
        (columnCount + Vector.scalarCount - 1) / Vector.scalarCount * Vector.scalarCount
      for j in written..<rowStride where r + 1 < rowCount {
        XCTAssertTrue(c.pointer[r * rowStride + j].isNaN, "wrote column \(j) of row \(r)")
      }
    }
    let name = "\(rowCount) rows, \(columnCount) columns, depth \(depth)"
    assertClose(actual, expected, relative: 1e-6, name)
    XCTAssertTrue(aMemory.isIntact && bMemory.isIntact && c.isIntact, name)
  }
}
