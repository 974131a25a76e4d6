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

  func testMultiplyBlockComputesTheFirstColumns() {
    for columnCount in [1, 4, 5, 8, 9, 15, 16, 17, 24, 25, 31] {
      for rowCount in Array(0...14) + [15, 29, 112] {
        checkMultiplyBlock(
          rowCount: rowCount, columnCount: columnCount, depth: 129, hasBias: true, slope: 0.1)
      }
    }
  }

  func testMultiplyTransposedBlockMatchesNaiveReference() {
    for rowCount in Array(0...12) + [16, 22, 23, 31, 32] {
      for depth in depths {
        for accumulates in [false, true] {
          checkMultiplyTransposedBlock(rowCount: rowCount, depth: depth, accumulates: accumulates)
        }
      }
    }
  }

  func testMultiplyTransposedBlockComputesTheFirstColumns() {
    for columnCount in [1, 4, 5, 8, 9, 15, 16, 17, 24, 25, 31] {
      for rowCount in Array(1...12) + [24, 32] {
        for accumulates in [false, true] {
          checkMultiplyTransposedBlock(
            rowCount: rowCount, columnCount: columnCount, depth: 33, accumulates: accumulates)
        }
      }
    }
  }

  /// Columns that are written: whole vectors.
  private func written(_ columnCount: Int) -> Int {
    (columnCount + Vector.scalarCount - 1) / Vector.scalarCount * Vector.scalarCount
  }

  /// `a` is a blocked matrix with two spare rows a block; `c` has 3 unused floats after each row.
  private func checkMultiplyBlock(
    rowCount: Int, columnCount: Int = 32, depth: Int, hasBias: Bool, slope: Float
  ) {
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
      columnCount: columnCount, into: c.pointer, rowStride: rowStride,
      bias: bias.map { UnsafePointer($0.pointer) },
      slope: slope)

    var (actual, expected): ([Float], [Float]) = ([], [])
    for r in 0..<rowCount {
      for j in 0..<columnCount {
        var sum = bias.map { Double($0.pointer[j]) } ?? 0
        for k in 0..<depth {
          sum += Double(aValues[r * depth + k]) * Double(b.pointer[k * 32 + j])
        }
        expected.append(Float(sum < 0 ? sum * Double(slope) : sum))
        actual.append(c.pointer[r * rowStride + j])
      }
      for j in written(columnCount)..<rowStride where r + 1 < rowCount {
        XCTAssertTrue(c.pointer[r * rowStride + j].isNaN, "wrote column \(j) of row \(r)")
      }
    }
    let name =
      "\(rowCount) rows, \(columnCount) columns, depth \(depth), bias \(hasBias), slope \(slope)"
    assertClose(actual, expected, relative: 1e-6, name)
    XCTAssertTrue(a.isIntact && b.isIntact && c.isIntact, name)
  }

  private func checkMultiplyTransposedBlock(
    rowCount: Int, columnCount: Int = 32, depth: Int, accumulates: Bool
  ) {
    let a = GuardedBuffer(fill("a", shape: [depth, 32], seed: rowCount))
    let b = GuardedBuffer(fill("b", shape: [depth, 32], seed: rowCount), alignment: 64)
    let old = fill("c", shape: [rowCount, 32], seed: depth)
    let c =
      accumulates
      ? GuardedBuffer(old, alignment: 64)
      : GuardedBuffer(count: rowCount * 32, alignment: 64)
    multiplyTransposedBlock(
      a.pointer, rowCount: rowCount, b.pointer, columnCount: columnCount, depth: depth,
      into: c.pointer, accumulates: accumulates)

    var (actual, expected): ([Float], [Float]) = ([], [])
    for r in 0..<rowCount {
      for j in 0..<columnCount {
        var sum = accumulates ? Double(old[r * 32 + j]) : 0
        for t in 0..<depth { sum += Double(a.pointer[t * 32 + r]) * Double(b.pointer[t * 32 + j]) }
        expected.append(Float(sum))
        actual.append(c.pointer[r * 32 + j])
      }
      for j in written(columnCount)..<32 {
        let value = c.pointer[r * 32 + j]
        XCTAssertTrue(accumulates ? value == old[r * 32 + j] : value.isNaN, "wrote column \(j)")
      }
    }
    let name =
      "\(rowCount) rows, \(columnCount) columns, depth \(depth), accumulates \(accumulates)"
    assertClose(actual, expected, relative: 1e-6, name)
    XCTAssertTrue(a.isIntact && b.isIntact && c.isIntact, name)
  }
}
