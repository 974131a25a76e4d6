import SKDTestSupport
import XCTest

@testable import SKDKernels

/// Convolutions by Winograd in bfloat16 against the same arithmetic, one product at a time.
final class WinogradBFloat16Tests: XCTestCase {
  private let inputs = 64

  /// Both schedules: few images go by channels, 70 by tiles.
  func testOperandsAreRoundedAtThePointsAndNothingElse() {
    for (rows, columns) in [4, 2, 1].flatMap({ rows in [4, 2, 1].map { (rows, $0) } }) {
      for batch in [2, 70] {
        let test = Conv2DCase(
          batch: batch, height: rows, width: columns, inputs: inputs, outputs: 32, kernelSize: 3,
          padding: 1, algorithm: .winogradBFloat16)
        let (actual, weight) = (test.forward(), roundedPoints(of: test.reference.weight))
        XCTAssertTrue(actual.isIntact, "\(test)")
        let count = rows * columns
        for image in [0, batch - 1] {
          let input = test.reference.input[image * count * inputs..<(image + 1) * count * inputs]
          // Share of the largest value, from rounding in transforms and sums; 1e-6 with AVX-512.
          assertClose(
            Array(actual.values[image * count * 32..<(image + 1) * count * 32]),
            convolved(Array(input), rows: rows, columns: columns, weight), relative: 2e-6,
            "image \(image) of \(test)")
        }
      }
    }
  }

  /// The outputs of one tile, `[rows, columns, 32]`.
  private func convolved(_ input: [Float], rows: Int, columns: Int, _ weight: [Float]) -> [Float] {
    let tile = WinogradTestTile(rows: rows, columns: columns)
    let products = tile.planes()
    var sums: [Int: [Double]] = [:]
    for block in 0..<inputs / 32 {
      // With the border of zeros.
      var padded = [Float](repeating: 0, count: (rows + 2) * (columns + 2) * 32)
      for i in 0..<rows {
        for j in 0..<columns {
          for c in 0..<32 {
            padded[((i + 1) * (columns + 2) + j + 1) * 32 + c] =
              input[(i * columns + j) * inputs + block * 32 + c]
          }
        }
      }
      let points = tile.inputToPoints(padded)
      for plane in 0..<Winograd.planes {
        let values = (0..<32).map { points.pointer[plane * WinogradTestTile.planeStride + $0] }
        if values[0].isNaN { continue }  // not of this tile
        for (c, value) in values.enumerated() {
          let first = (plane * inputs + block * 32 + c) * 32
          for o in 0..<32 {
            sums[plane, default: [Double](repeating: 0, count: 32)][o] +=
              Double(rounded(value)) * Double(weight[first + o])
          }
        }
      }
    }
    for (plane, values) in sums {
      for (o, value) in values.enumerated() {
        products.pointer[plane * WinogradTestTile.planeStride + o] = Float(value)
      }
    }
    return tile.outputFromPoints(products)
  }

  /// G g Gᵀ of kernels of 32 outputs, rounded: `[36][inputs][32]`.
  private func roundedPoints(of weight: [Float]) -> [Float] {
    let kernels = WinogradWeights(inputs: inputs, outputs: 32, isTransposed: false)
    let points = GuardedBuffer(count: kernels.count, alignment: 64)
    kernels.toPoints(weight, into: points.pointer)
    return (0..<Winograd.planes).flatMap { plane in
      (0..<inputs * 32).map { rounded(points.pointer[plane * kernels.planeStride + $0]) }
    }
  }

  private func rounded(_ value: Float) -> Float { Float(BFloat16(value)) }
}
