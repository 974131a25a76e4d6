import SKDKernels
import SKDTestSupport
import XCTest

/// Against naive references, of lengths below and above one chunk of work.
final class LargeVectorsTests: XCTestCase {
  private let lengths = [0, 8, 24, 16_384, 50_000]

  func testVectorOperationsMatchNaiveReferences() {
    for length in lengths {
      let a = uniform("a", count: length, seed: 0)
      let b = uniform("b", count: length, seed: 0)
      XCTAssertEqual(
        largeDotProduct(a, b, length: length), zip(a, b).reduce(0) { $0 + $1.0 * $1.1 },
        accuracy: 1e-10)
      var output = b
      addScaledLarge(a, by: 0.5, length: length, to: &output)
      for i in 0..<length { XCTAssertEqual(output[i], b[i] + 0.5 * a[i], accuracy: 1e-15) }
      output = b
      scaleAndAddLarge(a, by: -2, length: length, to: &output)
      for i in 0..<length { XCTAssertEqual(output[i], a[i] - 2 * b[i], accuracy: 1e-15) }
      scaleLarge(a, by: -3, length: length, into: &output)
      XCTAssertEqual(output, a.map { -3 * $0 })
      output = [Double](repeating: .nan, count: length)
      clearLarge(&output, length: length)
      XCTAssertTrue(output.allSatisfy { $0 == 0 })
      let largest = zip(a, b).map { ($0 - 3 * $1).magnitude }.max() ?? 0
      XCTAssertEqual(
        largestMagnitude(a, plus: b, by: -3, length: length), largest, accuracy: 1e-15)
    }
    for value in [Double.nan, .infinity] {
      var a = [Double](repeating: 1, count: 16)
      a[3] = value
      XCTAssertTrue(largestMagnitude(a, plus: a, by: 0, length: 16).isNaN)
    }
  }

  func testRowsAreWidenedCentredAndSummed() {
    for (rows, count) in [(1, 1), (7, 9), (300, 70)] {
      let length = paddedRowLength(count)
      let input = fill("x", shape: [rows, count], seed: 0)
      var wide = [Double](repeating: 0, count: rows * length)
      widenRows(input, rows: rows, count: count, length: length, into: &wide)
      for n in 0..<rows {
        for d in 0..<length {
          XCTAssertEqual(wide[n * length + d], d < count ? Double(input[n * count + d]) : 0)
        }
      }
      var sums = [Double](repeating: 9, count: rows)
      sumLargeRows(wide, rows: rows, length: length, into: &sums)
      for n in 0..<rows {
        let expected = wide[n * length..<(n + 1) * length].reduce(0, +)
        XCTAssertEqual(sums[n], expected, accuracy: 1e-12)
      }

      let classes = min(rows, 3)
      let labels = (0..<rows).map { Int32($0 % classes) }
      var classSums = [Double](repeating: 9, count: classes * length)
      sumRowsOfClasses(
        wide, labels: labels, rows: rows, classes: classes, length: length, into: &classSums)
      var (centred, mean) = (wide, [Double](repeating: 9, count: length))
      centreRows(&centred, rows: rows, length: length, mean: &mean)
      for d in 0..<length {
        let column = (0..<rows).map { wide[$0 * length + d] }
        XCTAssertEqual(mean[d], column.reduce(0, +) / Double(rows), accuracy: 1e-13)
        for n in 0..<rows {
          XCTAssertEqual(centred[n * length + d], column[n] - mean[d], accuracy: 1e-15)
        }
        for k in 0..<classes {
          let expected = (0..<rows).reduce(0.0) { $1 % classes == k ? $0 + column[$1] : $0 }
          XCTAssertEqual(classSums[k * length + d], expected, accuracy: 1e-12)
        }
      }
    }
  }

  func testSumsHaveTheSameBitsForAnyNumberOfThreads() {
    let a = uniform("a", count: 2_000_000, seed: 0)
    assertSameDoublesForAnyThreadCount {
      var sums = [Double](repeating: 0, count: 2000)
      sumLargeRows(a, rows: 2000, length: 1000, into: &sums)
      return sums + [largeDotProduct(a, a, length: a.count)]
    }
  }
}
