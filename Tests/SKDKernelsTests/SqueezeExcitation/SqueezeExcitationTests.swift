import Foundation
import SKDKernels
import SKDTestSupport
import XCTest

final class SqueezeExcitationTests: XCTestCase {
  private let cases: [(shape: ImageShape, hidden: Int)] = [
    (ImageShape(batch: 1, height: 1, width: 1, channels: 1), 1),
    (ImageShape(batch: 2, height: 3, width: 5, channels: 15), 3),
    (ImageShape(batch: 3, height: 5, width: 5, channels: 16), 4),
    (ImageShape(batch: 5, height: 3, width: 3, channels: 17), 7),
    (ImageShape(batch: 2, height: 1, width: 7, channels: 32), 8),
  ]

  func testForwardMatchesNaiveReference() {
    for (shape, hidden) in cases {
      let block = Block(shape: shape, hidden: hidden)
      assertClose(
        block.forward(), block.naiveForward(block.parameters).map(Float.init), relative: 1e-6,
        "\(shape)")
    }
  }

  func testBackwardMatchesFiniteDifferences() {
    for (shape, hidden) in cases {
      let block = Block(shape: shape, hidden: hidden)
      let gradients = block.backward()
      for which in 0..<5 {
        assertGradient(
          gradients[which],
          of: { changed in
            var parameters = block.parameters
            parameters[which] = changed
            return weightedSum(block.naiveForward(parameters), block.dOutput)
          }, at: block.parameters[which], step: 1e-4, tolerance: 1e-3,
          sampleLimit: 12, "\(shape) argument \(which)")
      }
    }
  }

  func testTransposedWeightsGiveTheSameAnswer() {
    for (shape, hidden) in cases {
      let block = Block(shape: shape, hidden: hidden)
      var transposed = block
      transposed.isTransposed = true
      transposed.parameters[1] = transpose(block.parameters[1], rows: hidden)
      transposed.parameters[3] = transpose(block.parameters[3], rows: shape.channels)
      XCTAssertEqual(transposed.forward(), block.forward())
      var expected = block.backward()
      expected[1] = transpose(expected[1], rows: hidden)
      expected[3] = transpose(expected[3], rows: shape.channels)
      XCTAssertEqual(transposed.backward(), expected)
    }
  }

  func testBackwardWorksInPlace() {
    let block = Block(shape: cases[3].shape, hidden: cases[3].hidden)
    XCTAssertEqual(block.backward(isInPlace: true), block.backward())
  }

  func testResultsDoNotDependOnThreads() {
    let shape = ImageShape(batch: 8, height: 11, width: 11, channels: 40)
    let block = Block(shape: shape, hidden: 10)
    assertSameForAnyThreadCount { [block.forward()] + block.backward() }
  }

  func testGoldenValues() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    let nchw = try fixture.integers("se.y.shape")
    let hidden = try fixture.integers("se.g.b1.idx").count
    let shape = ImageShape(batch: nchw[0], height: nchw[2], width: nchw[3], channels: nchw[1])
    let block = Block(
      shape: shape, hidden: hidden,
      parameters: [
        goldenImages("se.x", shape: nchw, seed: seed),
        fill("se.fc.0.weight", shape: [hidden, nchw[1]], seed: seed),
        fill("se.fc.0.bias", shape: [hidden], seed: seed),
        fill("se.fc.2.weight", shape: [nchw[1], hidden], seed: seed),
        fill("se.fc.2.bias", shape: [nchw[1]], seed: seed),
      ], dOutput: goldenImages("se.gy", shape: nchw, seed: seed))
    let gradients = block.backward()
    try fixture.assertSampledImages("se.y", block.forward(), shape: nchw, relative: 2e-6)
    try fixture.assertSampledImages("se.g.x", gradients[0], shape: nchw, relative: 2e-6)
    for (index, key) in ["w1", "b1", "w2", "b2"].enumerated() {
      try fixture.assertSampled("se.g.\(key)", gradients[index + 1], relative: 2e-6)
    }
  }

  private func transpose(_ matrix: [Float], rows: Int) -> [Float] {
    let columns = matrix.count / rows
    return matrix.indices.map { matrix[$0 % rows * columns + $0 / rows] }
  }
}

/// A block and a batch; `parameters` are input, weight1, bias1, weight2, bias2.
private struct Block {
  let shape: ImageShape
  let hidden: Int
  var parameters: [[Float]]
  let dOutput: [Float]
  var isTransposed = false

  init(shape: ImageShape, hidden: Int) {
    self.init(
      shape: shape, hidden: hidden,
      parameters: [
        values("input", shape.count), values("weight1", hidden * shape.channels),
        values("bias1", hidden), values("weight2", hidden * shape.channels),
        values("bias2", shape.channels),
      ], dOutput: values("dOutput", shape.count))
  }

  init(shape: ImageShape, hidden: Int, parameters: [[Float]], dOutput: [Float]) {
    (self.shape, self.hidden, self.parameters, self.dOutput) = (shape, hidden, parameters, dOutput)
  }

  func forward() -> [Float] {
    run { weights, saved in
      var output = [Float](repeating: .nan, count: shape.count)
      squeezeExcitationForward(
        parameters[0], shape: shape, weights: weights, saved: saved, output: &output)
      return [output]
    }[0]
  }

  func backward(isInPlace: Bool = false) -> [[Float]] {
    run { weights, saved in
      var ignored = [Float](repeating: .nan, count: shape.count)
      squeezeExcitationForward(
        parameters[0], shape: shape, weights: weights, saved: saved, output: &ignored)
      let gradients = parameters.map { parameter in
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: parameter.count)
        buffer.initialize(repeating: .nan)
        return buffer
      }
      defer { gradients.forEach { $0.deallocate() } }
      let pointers = gradients.map { $0.baseAddress! }
      if isInPlace { pointers[0].update(from: dOutput, count: dOutput.count) }
      var scratch = [Float](
        repeating: .nan, count: squeezeExcitationScratchCount(shape: shape, hidden: hidden))
      dOutput.withUnsafeBufferPointer { upstream in
        squeezeExcitationBackward(
          parameters[0], isInPlace ? UnsafePointer(pointers[0]) : upstream.baseAddress!,
          shape: shape, weights: weights, saved: saved, dInput: pointers[0],
          gradients: SqueezeExcitationGradients(
            dWeight1: pointers[1], dBias1: pointers[2], dWeight2: pointers[3],
            dBias2: pointers[4]),
          scratch: &scratch)
      }
      return gradients.map(Array.init)
    }
  }

  private func run(
    _ body: (SqueezeExcitationWeights, UnsafeMutablePointer<Float>) -> [[Float]]
  ) -> [[Float]] {
    var saved = [Float](
      repeating: .nan, count: squeezeExcitationScratchCount(shape: shape, hidden: hidden))
    let channels = shape.channels
    let strides1 =
      isTransposed
      ? LinearStrides(output: 1, input: hidden) : LinearStrides(output: channels, input: 1)
    let strides2 =
      isTransposed
      ? LinearStrides(output: 1, input: channels) : LinearStrides(output: hidden, input: 1)
    return parameters[1].withUnsafeBufferPointer { weight1 in
      parameters[2].withUnsafeBufferPointer { bias1 in
        parameters[3].withUnsafeBufferPointer { weight2 in
          parameters[4].withUnsafeBufferPointer { bias2 in
            body(
              SqueezeExcitationWeights(
                hidden: hidden, weight1: weight1.baseAddress!, weight1Strides: strides1,
                bias1: bias1.baseAddress!, weight2: weight2.baseAddress!,
                weight2Strides: strides2, bias2: bias2.baseAddress!), &saved)
          }
        }
      }
    }
  }

  func naiveForward(_ parameters: [[Float]]) -> [Double] {
    let p = parameters.map { $0.map(Double.init) }
    let (positions, channels) = (shape.height * shape.width, shape.channels)
    var output: [Double] = []
    for n in 0..<shape.batch {
      let image = Array(p[0][n * positions * channels..<(n + 1) * positions * channels])
      let mean = (0..<channels).map { c in
        (0..<positions).reduce(0.0) { $0 + image[$1 * channels + c] } / Double(positions)
      }
      let units = (0..<hidden).map { h in
        max((0..<channels).reduce(p[2][h]) { $0 + p[1][h * channels + $1] * mean[$1] }, 0)
      }
      let gate = (0..<channels).map { c in
        1 / (1 + exp(-(0..<hidden).reduce(p[4][c]) { $0 + p[3][c * hidden + $1] * units[$1] }))
      }
      output += image.indices.map { image[$0] * gate[$0 % channels] }
    }
    return output
  }
}
