import SKDTestSupport
import XCTest

@testable import SKDKernels

/// Row counts up to 14 and 11 are one tile each on AVX-512, up to 6 and 5 on AVX2; others are several.
///
/// Tolerance 1e-6 of the largest value: up to 100 products, added one by one in float32, were
/// measured 5e-7 off their sum in Double.
final class BlockProductTests: XCTestCase {
  private let depths = [1, 31, 32, 33, 64, 100, 128, 129, 257]
  private let biases: [(values: Bool, slope: Float)] = [
    (false, 1), (true, 1), (true, 0.1), (false, 0),
  ]

  func testMultiplyBlockMatchesNaiveReference() {
    for (turn, rowCount) in (Array(0...14) + [15, 16, 28, 29, 64, 112]).enumerated() {
      for (depthIndex, depth) in depths.enumerated() {
        let (hasBias, slope) = biases[(turn + depthIndex) % biases.count]
        checkMultiplyBlock(rowCount: rowCount, depth: depth, hasBias: hasBias, slope: slope)
      }
    }
  }

  func testMultiplyBlockAppliesBiasAndSlopeForEveryTile() {
    for rowCount in 1...14 {
      for (hasBias, slope) in biases {
        checkMultiplyBlock(rowCount: rowCount, depth: 3, hasBias: hasBias, slope: slope)
      }
    }
  }

  func testMultiplyTransposedBlockMatchesNaiveReference() {
    for columnCount in Array(0...12) + [16, 22, 23, 31, 32] {
      for depth in depths {
        for accumulates in [false, true] {
          checkMultiplyTransposedBlock(
            columnCount: columnCount, depth: depth, accumulates: accumulates)
        }
      }
    }
  }

  /// `a` is a blocked matrix with two spare rows a block; `c` has 3 unused floats after each row.
  private func checkMultiplyBlock(rowCount: Int, depth: Int, hasBias: Bool, slope: Float) {
    let blockStride = (rowCount + 2) * 32
    let rowStride = 35
    let aValues = fill("a", shape: [max(rowCount, 1), depth], seed: depth)
    let bias = hasBias ? GuardedBuffer(fill("c", shape: [32], seed: depth)) : nil
    let a = GuardedBuffer(count: (depth + 31) / 32 * blockStride)
    for r in 0..<rowCount {
      for k in 0..<depth {
        a.pointer[k / 32 * blockStride + r * 32 + k % 32] = aValues[r * depth + k]
      }
    }
    let b = GuardedBuffer(fill("b", shape: [depth, 32], seed: depth), alignment: 64)
    let c = GuardedBuffer(count: max(rowCount * rowStride - 3, 0))
    multiplyBlock(
      a.pointer, blockStride: blockStride, rowCount: rowCount, b.pointer, depth: depth,
      into: c.pointer, rowStride: rowStride, bias: bias.map { UnsafePointer($0.pointer) },
      slope: slope)

    var (actual, expected): ([Float], [Float]) = ([], [])
    for r in 0..<rowCount {
      for j in 0..<32 {
        var sum = bias.map { Double($0.pointer[j]) } ?? 0
        for k in 0..<depth {
          sum += Double(aValues[r * depth + k]) * Double(b.pointer[k * 32 + j])
        }
        expected.append(Float(sum < 0 ? sum * Double(slope) : sum))
        actual.append(c.pointer[r * rowStride + j])
      }
      for j in 32..<rowStride where r + 1 < rowCount {
        XCTAssertTrue(c.pointer[r * rowStride + j].isNaN, "wrote beyond column 32 of row \(r)")
      }
    }
    let name = "\(rowCount) rows, depth \(depth), bias \(hasBias), slope \(slope)"
    assertClose(actual, expected, relative: 1e-6, name)
    XCTAssertTrue(a.isIntact && b.isIntact && c.isIntact, name)
  }

  private func checkMultiplyTransposedBlock(columnCount: Int, depth: Int, accumulates: Bool) {
    let a = GuardedBuffer(fill("a", shape: [depth, 32], seed: columnCount))
    let b = GuardedBuffer(fill("b", shape: [depth, 32], seed: columnCount), alignment: 64)
    let old = fill("c", shape: [columnCount, 32], seed: depth)
    let c =
      accumulates
      ? GuardedBuffer(old, alignment: 64)
      : GuardedBuffer(count: columnCount * 32, alignment: 64)
    multiplyTransposedBlock(
      a.pointer, columnCount: columnCount, b.pointer, depth: depth, into: c.pointer,
      accumulates: accumulates)

    let expected = (0..<columnCount * 32).map { index in
      let (r, j) = index.quotientAndRemainder(dividingBy: 32)
      var sum = accumulates ? Double(old[index]) : 0
      for t in 0..<depth { sum += Double(a.pointer[t * 32 + r]) * Double(b.pointer[t * 32 + j]) }
      return Float(sum)
    }
    let name = "\(columnCount) columns, depth \(depth), accumulates \(accumulates)"
    assertClose(c.values, expected, relative: 1e-6, name)
    XCTAssertTrue(a.isIntact && b.isIntact && c.isIntact, name)
  }
}
