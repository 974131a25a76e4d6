import SKDTestSupport
import XCTest

@testable import SKDKernels

/// The transforms of tiles and kernels, 32 channels at a time, for every pair of spans.
///
/// Planes that a tile does not use stay NaN, and must not be read.
final class WinogradTransformTests: XCTestCase {
  private let spans = [4, 2, 1].flatMap { rows in [4, 2, 1].map { (rows, $0) } }
  private let kernels = WinogradWeights(inputs: 32, outputs: 32, isTransposed: false)

  /// Aᵀ [(G g) ⊙ (Bᵀ d)] is the correlation of d and g.
  func testTransformedProductsAreTheCorrelation() {
    let kernel = values("kernel", kernels.inputs * kernels.outputs * 9)
    let transformed = GuardedBuffer(count: kernels.count, alignment: 64)
    kernels.toPoints(kernel, into: transformed.pointer)
    let k = 5  // of 32 inputs, one: its kernels go to the 32 channels of the tile
    for (rows, columns) in spans {
      let tile = WinogradTestTile(rows: rows, columns: columns)
      let input = values("input", (rows + 2) * (columns + 2) * 32)
      let points = tile.inputToPoints(input)
      for plane in 0..<Winograd.planes {
        for c in 0..<32 {
          points.pointer[plane * WinogradTestTile.planeStride + c] *=
            transformed.pointer[plane * kernels.planeStride + k * 32 + c]
        }
      }
      let expected = tabulate(rows, columns) { i, j, c in
        var sum = 0.0
        for y in 0..<3 {
          for x in 0..<3 {
            sum +=
              Double(input[((i + y) * (columns + 2) + j + x) * 32 + c])
              * Double(kernel[((y * 3 + x) * 32 + k) * 32 + c])
          }
        }
        return Float(sum)
      }
      // Measured: at most 5.8e-7 of the largest value, with AVX-512.
      assertClose(
        tile.outputFromPoints(points), expected, relative: 2e-6, "\(rows)x\(columns) outputs")
    }
    XCTAssertTrue(transformed.isIntact)
  }

  /// ⟨Aᵀ m A, e⟩ = ⟨m, A e Aᵀ⟩.
  func testTheGradientTransformIsTheTransposeOfTheOutputTransform() {
    for (rows, columns) in spans {
      let tile = WinogradTestTile(rows: rows, columns: columns)
      let gradient = values("gradient", rows * columns * 32)
      let gradientPoints = tile.gradientToPoints(gradient)
      let points = tile.planes()
      let used = (0..<Winograd.planes).filter {
        !gradientPoints.pointer[$0 * WinogradTestTile.planeStride].isNaN
      }
      XCTAssertEqual(used.count, (rows + 2) * (columns + 2))
      for plane in used {
        for (c, value) in values("points\(plane)", 32).enumerated() {
          points.pointer[plane * WinogradTestTile.planeStride + c] = value
        }
      }
      let output = tile.outputFromPoints(points)
      for c in 0..<32 {
        let inOutputs = Terms(
          stride(from: c, to: output.count, by: 32).map { (output[$0], gradient[$0]) })
        let atPoints = Terms(
          used.map { plane in
            let offset = plane * WinogradTestTile.planeStride + c
            return (points.pointer[offset], gradientPoints.pointer[offset])
          })
        assertEqual(inOutputs, atPoints, "\(rows)x\(columns) outputs, channel \(c)")
      }
      XCTAssertTrue(points.isIntact && gradientPoints.isIntact)
    }
  }

  /// ⟨G g Gᵀ, u⟩ = ⟨g, Gᵀ u G⟩, for each of 32x32 kernels; u is the sum of three parts.
  func testTheInverseOfKernelsIsTheTransposeOfTheirTransform() {
    let kernel = values("kernel", 9 * 1024)
    let transformed = GuardedBuffer(count: kernels.count, alignment: 64)
    kernels.toPoints(kernel, into: transformed.pointer)
    let parts = GuardedBuffer(values("parts", 3 * kernels.count), alignment: 64)
    let gradient = GuardedBuffer(count: kernel.count)
    kernels.gradientFromPoints(
      parts.pointer, parts: 3, planeStride: kernels.planeStride, inputBlock: 0, outputBlock: 0,
      into: gradient.pointer)
    for pair in 0..<1024 {
      let atPoints = Terms(
        (0..<Winograd.planes * 3).map { item in
          let offset = item / 3 * kernels.planeStride + pair
          return (transformed.pointer[offset], parts.pointer[item % 3 * kernels.count + offset])
        })
      let inKernel = Terms(
        (0..<9).map { (kernel[$0 * 1024 + pair], gradient.pointer[$0 * 1024 + pair]) })
      assertEqual(inKernel, atPoints, "pair \(pair)")
    }
    XCTAssertTrue(transformed.isIntact && parts.isIntact && gradient.isIntact)
  }

  func testTransposedKernelsAreTurnedAndExchangeTheirChannels() {
    let (inputs, outputs) = (64, 96)
    let kernel = values("kernel", 9 * inputs * outputs)
    var turned = kernel
    for tap in 0..<9 {
      for i in 0..<inputs {
        for o in 0..<outputs {
          turned[((8 - tap) * outputs + o) * inputs + i] = kernel[(tap * inputs + i) * outputs + o]
        }
      }
    }
    let transposed = WinogradWeights(inputs: inputs, outputs: outputs, isTransposed: true)
    let plain = WinogradWeights(inputs: outputs, outputs: inputs, isTransposed: false)
    XCTAssertEqual(transposed.count, plain.count)
    let (actual, expected) = (
      GuardedBuffer(count: plain.count, alignment: 64),
      GuardedBuffer(count: plain.count, alignment: 64)
    )
    transposed.toPoints(kernel, into: actual.pointer)
    plain.toPoints(turned, into: expected.pointer)
    for plane in 0..<Winograd.planes {
      let range = plane * plain.planeStride..<plane * plain.planeStride + inputs * outputs
      XCTAssertEqual(actual.values[range], expected.values[range], "plane \(plane)")
    }
    let ordered = GuardedBuffer(count: plain.orderedCount, alignment: 64)
    plain.order(turned, into: ordered.pointer)
    XCTAssertTrue(ordered.isIntact)
    // A part of one block of 32 columns by itself is the same as in all of them.
    for (weights, source, isOrdered) in [
      (transposed, kernel, false), (plain, turned, false), (plain, ordered.values, true),
    ] {
      let all = weights.isTransposed ? actual : expected
      let stride = weights.partPlaneStride
      for block in 0..<weights.columns / 32 {
        for depths in [0..<weights.depth, 32..<64] {
          let alone = GuardedBuffer(count: weights.partCount, alignment: 64)
          weights.toPoints(
            source, isOrdered: isOrdered, block: block, depths: depths,
            into: alone.pointer)
          for plane in 0..<Winograd.planes {
            let first = (block * weights.depth + depths.lowerBound) * 32
            let start = plane * weights.planeStride + first
            XCTAssertEqual(
              alone.values[plane * stride..<plane * stride + depths.count * 32],
              all.values[start..<start + depths.count * 32], "plane \(plane), block \(block)")
          }
          XCTAssertTrue(alone.isIntact)
        }
      }
    }
    XCTAssertTrue(actual.isIntact && expected.isIntact)
  }

  // MARK: Support

  /// A sum of products, and the sum of their sizes.
  private struct Terms {
    var sum = 0.0
    var size = 0.0

    init(_ pairs: [(Float, Float)]) {
      for (a, b) in pairs {
        sum += Double(a) * Double(b)
        size += (Double(a) * Double(b)).magnitude
      }
    }
  }

  /// Equal up to the rounding of the transforms; measured: 6.3e-8 of the terms, with AVX-512.
  private func assertEqual(_ a: Terms, _ b: Terms, _ message: String, line: UInt = #line) {
    XCTAssertEqual(a.sum, b.sum, accuracy: 2e-7 * max(a.size, b.size), message, line: line)
  }

  /// `[rows, columns, 32]` values.
  private func tabulate(
    _ rows: Int, _ columns: Int, _ value: (_ row: Int, _ column: Int, _ channel: Int) -> Float
  ) -> [Float] {
    (0..<rows * columns * 32).map { value($0 / (columns * 32), $0 / 32 % columns, $0 % 32) }
  }
}
