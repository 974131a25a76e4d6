import SKDKernels
import SKDTestSupport
import XCTest

final class PoolingTests: XCTestCase {
  private let channelCounts = [1, 7, 15, 16, 17, 32]
  private let sides = [(1, 1), (1, 4), (2, 2), (2, 3), (3, 2), (5, 5), (7, 4), (11, 6)]

  private var shapes: [ImageShape] {
    sides.flatMap { height, width in
      channelCounts.map { ImageShape(batch: 3, height: height, width: width, channels: $0) }
    }
  }

  func testMaxPool2DMatchesNaiveReference() {
    for shape in shapes {
      let (input, dOutput) = (quarters(shape.count), values("dOutput", shape.pooled.count))
      let expected = naiveMaxPool(input, dOutput, shape)
      XCTAssertEqual(maxPool(input, shape), expected.output, "\(shape)")
      XCTAssertEqual(maxPoolBackward(input, dOutput, shape), expected.dInput, "\(shape)")
    }
  }

  func testMaxPool2DBackwardSendsTiedGradientToFirstMaximum() {
    let shape = ImageShape(batch: 1, height: 2, width: 2, channels: 1)
    for (input, winner) in [
      ([1, 1, 1, 1], 0), ([0, 1, 1, 1], 1), ([0, 0, 1, 1], 2), ([0, 0, 0, 1], 3),
      ([1, 0, 1, 0], 0), ([0, 1, 0, 1], 1),
    ] as [([Float], Int)] {
      var expected: [Float] = [0, 0, 0, 0]
      expected[winner] = 5
      XCTAssertEqual(maxPoolBackward(input, [5], shape), expected)
    }
  }

  func testMaxPool2DBackwardMatchesFiniteDifferences() {
    let shape = ImageShape(batch: 2, height: 4, width: 5, channels: 3)
    // A permutation of multiples of 0.1: no two values within the step.
    let input = (0..<shape.count).map { Float($0 * 37 % 127) * 0.1 }
    let dOutput = values("dOutput", shape.pooled.count)
    assertGradient(
      maxPoolBackward(input, dOutput, shape),
      of: { weightedSum(self.maxPool($0, shape).map(Double.init), dOutput) }, at: input,
      step: 1e-2, sampleLimit: shape.count)
  }

  func testGlobalAveragePoolMatchesNaiveReference() {
    // More positions than are summed at once, and more channels than share a pass.
    let large = [5, 64, 83].map { ImageShape(batch: 2, height: 13, width: 13, channels: $0) }
    for shape in shapes + large {
      let input = values("input", shape.count)
      let dOutput = values("dOutput", shape.batch * shape.channels)
      let positions = shape.height * shape.width
      var sums = [Double](repeating: 0, count: dOutput.count)
      for i in input.indices { sums[self.cell(i, shape)] += Double(input[i]) }
      assertClose(
        average(input, shape), sums.map { Float($0 / Double(positions)) }, absolute: 1e-7,
        "\(shape)")
      assertClose(
        averageBackward(dOutput, shape),
        input.indices.map { dOutput[self.cell($0, shape)] / Float(positions) }, relative: 1e-6,
        "\(shape)")
    }
  }

  func testGlobalAveragePoolBackwardMatchesFiniteDifferences() {
    let shape = ImageShape(batch: 2, height: 3, width: 2, channels: 4)
    let (input, dOutput) = (values("input", shape.count), values("dOutput", 8))
    assertGradient(
      averageBackward(dOutput, shape),
      of: { weightedSum(self.average($0, shape).map(Double.init), dOutput) }, at: input,
      step: 1e-2)
  }

  func testResultsDoNotDependOnThreads() {
    let shape = ImageShape(batch: 9, height: 21, width: 21, channels: 40)
    let (input, dOutput) = (values("input", shape.count), values("dOutput", shape.pooled.count))
    assertSameForAnyThreadCount {
      [
        maxPool(input, shape), maxPoolBackward(input, dOutput, shape), average(input, shape),
        averageBackward(dOutput, shape),
      ]
    }
  }

  func testGoldenMaxPool2D() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    for index in 0..<(try fixture.integer("pool.count")) {
      let key = "pool\(index)"
      let cfg = try fixture.integers(key + ".cfg")
      let nchw = [cfg[0], cfg[1], cfg[2], cfg[2]]
      let shape = ImageShape(batch: cfg[0], height: cfg[2], width: cfg[2], channels: cfg[1])
      let pooled = try fixture.integers(key + ".y.shape")
      XCTAssertEqual([pooled[2], pooled[3]], [shape.pooled.height, shape.pooled.width])
      let input = nhwcFromNCHW(
        uniform(key + ".x", count: shape.count, seed: seed).map {
          Float(($0 * 4).rounded(.down) / 4)
        }, shape: nchw)
      let dOutput = goldenImages(key + ".gy", shape: pooled, seed: seed)
      try fixture.assertSampledImages(
        key + ".y", maxPool(input, shape), shape: pooled, relative: 0)
      try fixture.assertSampledImages(
        key + ".g.x", maxPoolBackward(input, dOutput, shape), shape: nchw, relative: 0)
    }
  }

  func testGoldenGlobalAveragePool() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    let extents = try fixture.integers("gap.y.shape")
    let nchw = extents + [5, 5]
    let shape = ImageShape(batch: extents[0], height: 5, width: 5, channels: extents[1])
    let input = goldenImages("gap.x", shape: nchw, seed: seed)
    let dOutput = fill("gap.gy", shape: extents, seed: seed)
    try fixture.assertSampled("gap.y", average(input, shape), relative: 1e-6)
    try fixture.assertSampledImages(
      "gap.g.x", averageBackward(dOutput, shape), shape: nchw, relative: 1e-6)
  }

  // MARK: Kernels on arrays

  /// Values with many ties.
  private func quarters(_ count: Int) -> [Float] {
    values("input", count).map { ($0 * 4).rounded(.down) / 4 }
  }

  private func maxPool(_ input: [Float], _ shape: ImageShape) -> [Float] {
    var output = [Float](repeating: .nan, count: shape.pooled.count)
    maxPool2DForward(input, shape: shape, output: &output)
    return output
  }

  private func maxPoolBackward(_ input: [Float], _ dOutput: [Float], _ shape: ImageShape)
    -> [Float]
  {
    var dInput = [Float](repeating: .nan, count: shape.count)
    maxPool2DBackward(input, dOutput, shape: shape, dInput: &dInput)
    return dInput
  }

  private func average(_ input: [Float], _ shape: ImageShape) -> [Float] {
    var output = [Float](repeating: .nan, count: shape.batch * shape.channels)
    globalAveragePoolForward(input, shape: shape, output: &output)
    return output
  }

  private func averageBackward(_ dOutput: [Float], _ shape: ImageShape) -> [Float] {
    var dInput = [Float](repeating: .nan, count: shape.count)
    globalAveragePoolBackward(dOutput, shape: shape, dInput: &dInput)
    return dInput
  }

  // MARK: Naive references

  /// The entry of a `[batch, channels]` array to which entry `i` of the images belongs.
  private func cell(_ i: Int, _ shape: ImageShape) -> Int {
    i / (shape.height * shape.width * shape.channels) * shape.channels + i % shape.channels
  }

  private func naiveMaxPool(_ input: [Float], _ dOutput: [Float], _ shape: ImageShape) -> (
    output: [Float], dInput: [Float]
  ) {
    let (pooled, channels) = (shape.pooled, shape.channels)
    var output: [Float] = []
    var dInput = [Float](repeating: 0, count: shape.count)
    for row in 0..<pooled.batch * pooled.height {
      let (n, i) = (row / pooled.height, row % pooled.height)
      for j in 0..<pooled.width {
        for c in 0..<channels {
          let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map { a, b in
            ((n * shape.height + 2 * i + a) * shape.width + 2 * j + b) * channels + c
          }
          var best = window[0]
          for entry in window where input[entry] > input[best] { best = entry }
          dInput[best] = dOutput[output.count]
          output.append(input[best])
        }
      }
    }
    return (output, dInput)
  }
}
