import SKDKernels
import SKDTestSupport
import XCTest

/// Against naive references; sums of products of numbers below 1 in Double agree to 1e-12.
final class PaddedRowsTests: XCTestCase {
  private let sizes = [1, 2, 3, 5, 7, 8, 9]

  func testPaddedLengthIsTheNextMultiple() {
    XCTAssertEqual([0, 1, 7, 8, 9, 640].map(paddedRowLength), [0, 8, 8, 8, 16, 640])
  }

  func testVectorOperationsMatchNaiveReferences() {
    for length in [0, 8, 16, 24] {
      let a = uniform("a", count: length, seed: 0)
      let b = uniform("b", count: length, seed: 0)
      let pairs = Array(zip(a, b))
      XCTAssertEqual(
        dotProduct(a, b, length: length), pairs.reduce(0) { $0 + $1.0 * $1.1 }, accuracy: 1e-12)
      XCTAssertEqual(
        squaredDistance(a, b, length: length),
        pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }, accuracy: 1e-12)
      XCTAssertEqual(
        largestMagnitude(a, length: length), a.map(\.magnitude).max() ?? 0)
      var output = [Double](repeating: 9, count: length)
      scale(a, by: -2, length: length, into: &output)
      XCTAssertEqual(output, a.map { -2 * $0 })
      output = b
      addScaled(a, by: 0.5, length: length, to: &output)
      for (i, pair) in pairs.enumerated() {
        XCTAssertEqual(output[i], pair.1 + 0.5 * pair.0, accuracy: 1e-15)
      }
    }
  }

  func testMixedDotProductHasNoNeedOfPadding() {
    for count in [0, 1, 7, 8, 9, 31] {
      let a = fill("a", shape: [count], seed: 0)
      let b = uniform("b", count: count, seed: 0)
      XCTAssertEqual(
        dotProduct(a, b, count: count), zip(a, b).reduce(0) { $0 + Double($1.0) * $1.1 },
        accuracy: 1e-12)
    }
  }

  func testMultiplyByTransposeMatchesNaiveReference() {
    for aRows in sizes {
      for bRows in sizes {
        let (length, outputLength) = (16, paddedRowLength(bRows))
        let a = uniform("a", count: aRows * length, seed: 0)
        let b = uniform("b", count: bRows * length, seed: 0)
        var output = [Double](repeating: 9, count: aRows * outputLength)
        multiplyByTranspose(
          a, aRows: aRows, b, bRows: bRows, length: length, outputLength: outputLength,
          into: &output)
        for i in 0..<aRows {
          for j in 0..<outputLength {
            let sum = (0..<length).reduce(0.0) {
              j < bRows ? $0 + a[i * length + $1] * b[j * length + $1] : 9
            }
            XCTAssertEqual(output[i * outputLength + j], sum, accuracy: 1e-12)
          }
        }
      }
    }
  }

  func testCombineAndSumRowsMatchNaiveReferences() {
    for aRows in sizes {
      for bRows in sizes {
        let (length, aLength) = (16, paddedRowLength(bRows))
        let a = uniform("a", count: aRows * aLength, seed: 0)
        let b = uniform("b", count: bRows * length, seed: 0)
        var output = [Double](repeating: 9, count: aRows * length)
        combineRows(
          a, aRows: aRows, aLength: aLength, b, bRows: bRows, length: length, into: &output)
        var sums = [Double](repeating: 9, count: aRows)
        sumRows(a, rows: aRows, length: aLength, into: &sums)
        for i in 0..<aRows {
          let row = a[i * aLength..<(i + 1) * aLength]
          XCTAssertEqual(sums[i], row.reduce(0, +), accuracy: 1e-12)
          for l in 0..<length {
            let sum = (0..<bRows).reduce(0.0) { $0 + a[i * aLength + $1] * b[$1 * length + l] }
            XCTAssertEqual(output[i * length + l], sum, accuracy: 1e-12)
          }
        }
      }
    }
  }

  func testTransposeMovesEveryEntryAndNoPadding() {
    for rows in sizes {
      for columns in sizes {
        let (length, outputLength) = (16, paddedRowLength(rows))
        let a = uniform("a", count: rows * length, seed: 0)
        var output = [Double](repeating: 9, count: columns * outputLength)
        transpose(
          a, rows: rows, columns: columns, length: length, outputLength: outputLength,
          into: &output)
        for j in 0..<columns {
          for i in 0..<outputLength {
            XCTAssertEqual(output[j * outputLength + i], i < rows ? a[i * length + j] : 9)
          }
        }
      }
    }
  }
}
