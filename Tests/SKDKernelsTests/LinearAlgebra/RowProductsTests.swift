import SKDKernels
import SKDTestSupport
import XCTest

/// Against sums written from the formulas; 1000 products of numbers below 1 in Double agree to 1e-12.
final class RowProductsTests: XCTestCase {
  /// Around the tiles, of 3 or 6 rows and 4 columns, and around the blocks of 48 rows.
  private let extents = [
    (aRows: 1, bRows: 1, depth: 8), (2, 3, 8), (3, 4, 16), (5, 5, 8), (6, 7, 24), (7, 2, 8),
    (47, 50, 16), (48, 48, 8), (49, 97, 8), (13, 5, 512), (4, 9, 520), (3, 6, 1032),
  ]

  func testProductsMatchNaiveSumsAndWriteNothingElse() {
    for (aRows, bRows, depth) in extents {
      let (length, outputLength) = (depth + 8, paddedRowLength(bRows) + 8)
      let a = uniform("a", count: aRows * length, seed: aRows << 32)
      let b = uniform("b", count: bRows * length, seed: bRows << 32)
      for (update, start, sign) in [
        (.overwrite, 0, 1), (.add, 9, 1), (.subtract, 9, -1),
      ] as [(ProductUpdate, Double, Double)] {
        var output = [Double](repeating: 9, count: aRows * outputLength)
        multiplyRows(
          a, aRows: aRows, aLength: length, b, bRows: bRows, bLength: length, depth: depth,
          into: &output, outputLength: outputLength, update: update)
        for i in 0..<aRows {
          for j in 0..<outputLength {
            let sum = (0..<depth).reduce(0.0) {
              j < bRows ? $0 + a[i * length + $1] * b[j * length + $1] : 0
            }
            XCTAssertEqual(
              output[i * outputLength + j], j < bRows ? start + sign * sum : 9, accuracy: 1e-12,
              "\(aRows) \(bRows) \(depth) \(update)")
          }
        }
      }
    }
  }

  func testProductsWithEachOtherFillBothTriangles() {
    for (rows, length) in [(1, 8), (9, 16), (48, 8), (49, 24), (101, 8)] {
      let a = uniform("a", count: rows * length, seed: rows << 32)
      let outputLength = paddedRowLength(rows)
      var output = [Double](repeating: 9, count: rows * outputLength)
      multiplyRowsByEachOther(
        a, rows: rows, length: length, into: &output, outputLength: outputLength)
      var added = output
      multiplyRowsByEachOther(
        a, rows: rows, length: length, into: &added, outputLength: outputLength, update: .add)
      for i in 0..<rows {
        for j in 0..<outputLength {
          let sum = (0..<length).reduce(0.0) {
            j < rows ? $0 + a[i * length + $1] * a[j * length + $1] : 0
          }
          let place = i * outputLength + j
          XCTAssertEqual(output[place], j < rows ? sum : 9, accuracy: 1e-12)
          XCTAssertEqual(added[place], j < rows ? 2 * sum : 9, accuracy: 1e-12)
        }
      }
    }
  }

  func testProductsHaveTheSameBitsForAnyNumberOfThreads() {
    let a = uniform("a", count: 130 * 600, seed: 0)
    assertSameDoublesForAnyThreadCount {
      var products = [Double](repeating: 0, count: 130 * 136)
      multiplyRows(
        a, aRows: 130, aLength: 600, a, bRows: 130, bLength: 600, depth: 600, into: &products,
        outputLength: 136)
      var square = products
      multiplyRowsByEachOther(
        a, rows: 130, length: 600, into: &square, outputLength: 136, update: .add)
      return products + square
    }
  }
}
