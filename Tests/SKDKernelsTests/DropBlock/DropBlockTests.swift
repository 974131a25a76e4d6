import SKDKernels
import SKDRuntime
import SKDTestSupport
import XCTest

final class DropBlockTests: XCTestCase {
  func testGammaByHand() {
    // keep 0.95 half-way: 0.05 / 4 * 16 / 9.
    XCTAssertEqual(
      dropBlockGamma(rate: 0.1, blockSize: 2, side: 4, step: 20_000), 0.2 / 9, accuracy: 1e-15)
    XCTAssertEqual(dropBlockGamma(rate: 0.1, blockSize: 5, side: 10, step: 0), 0)
    // The ramp has ended, and the block is the image: the rate itself.
    XCTAssertEqual(
      dropBlockGamma(rate: 0.1, blockSize: 5, side: 5, step: 90_000), 0.1, accuracy: 1e-15)
    XCTAssertEqual(dropBlockGamma(rate: 1, blockSize: 1, side: 3, step: 50_000), 1)
  }

  func testCornersFollowTheRandomStream() {
    let shape = ImageShape(batch: 3, height: 9, width: 7, channels: 5)
    let random = CounterRandom(seed: 5, purpose: .dropBlock, step: 3, index: 1)
    let drawn = corners(shape, blockSize: 2, gamma: 0.2, random)
    XCTAssertEqual(drawn.count, 3 * 8 * 6 * 5)
    XCTAssertEqual(
      drawn, drawn.indices.map { Double(random.word(at: $0)) * 0x1p-32 < 0.2 ? 1 : 0 })
    XCTAssertEqual(corners(shape, blockSize: 2, gamma: 1, random).min(), 1)
    XCTAssertEqual(corners(shape, blockSize: 2, gamma: 0, random).max(), 0)
  }

  func testMaskMatchesNaiveReference() {
    let sides = [(1, 1, 1), (2, 2, 2), (5, 7, 2), (7, 5, 5), (21, 21, 5), (10, 11, 3), (33, 31, 5)]
    for (height, width, blockSize) in sides {
      for channels in [1, 7, 16, 17] {
        let shape = ImageShape(batch: 2, height: height, width: width, channels: channels)
        for gamma in [0, 0.05, 1] {
          let drawn = corners(
            shape, blockSize: blockSize, gamma: gamma, CounterRandom(seed: 8, purpose: .dropBlock))
          let (kept, count) = mask(drawn, shape, blockSize)
          let expected = naiveMask(drawn, shape, blockSize)
          XCTAssertEqual(kept, expected, "\(shape), \(blockSize), \(gamma)")
          XCTAssertEqual(count, expected.count { $0 == 1 })
        }
      }
    }
  }

  func testApplyScalesByTheKeptShare() {
    XCTAssertEqual(apply([1, 2, 3, 4], [1, 0, 0, 1], 2), [2, 0, 0, 8])
    XCTAssertEqual(apply([1, 2, 3, 4], [0, 0, 0, 0], 0), [0, 0, 0, 0])
  }

  func testApplyIsItsOwnGradient() {
    let (input, dOutput) = (values("input", 60), values("dOutput", 60))
    let kept: [UInt8] = (0..<60).map { $0 % 3 == 0 ? 0 : 1 }
    assertGradient(
      apply(dOutput, kept, 40),
      of: { weightedSum(self.apply($0, kept, 40).map(Double.init), dOutput) }, at: input,
      step: 1e-2)
  }

  func testResultsDoNotDependOnThreads() {
    let shape = ImageShape(batch: 10, height: 10, width: 10, channels: 40)
    let input = values("input", shape.count)
    assertSameForAnyThreadCount {
      let drawn = corners(
        shape, blockSize: 5, gamma: 0.02, CounterRandom(seed: 8, purpose: .dropBlock))
      let (kept, count) = mask(drawn, shape, 5)
      return [drawn.map(Float.init), kept.map(Float.init), apply(input, kept, count)]
    }
  }

  func testGoldenGamma() throws {
    let fixture = try Fixture(named: "dropblock")
    let cases = try fixture.integers("gamma.cfg")
    let gammas = stride(from: 0, to: cases.count, by: 3).map { row in
      Float(
        dropBlockGamma(
          rate: 0.1, blockSize: cases[row + 1], side: cases[row], step: cases[row + 2]))
    }
    for (gamma, expected) in zip(gammas, try fixture.floats("gamma.value")) {
      assertClose([gamma], [expected], relative: 1e-6)
    }
  }

  func testGoldenMasks() throws {
    let fixture = try Fixture(named: "dropblock")
    let seed = try fixture.integer("seed.data")
    for index in 0..<(try fixture.integer("count")) {
      let key = "case\(index)"
      let cfg = try fixture.integers(key + ".cfg")
      let (n, c, side, blockSize) = (cfg[0], cfg[1], cfg[2], cfg[3])
      let (shape, nchw) = (
        ImageShape(batch: n, height: side, width: side, channels: c), [n, c, side, side]
      )
      let field = side - blockSize + 1
      var drawn = [UInt8](repeating: 0, count: n * field * field * c)
      let seeds = try fixture.integers(key + ".seeds")
      for s in stride(from: 0, to: seeds.count, by: 4) {
        drawn[((seeds[s] * field + seeds[s + 2]) * field + seeds[s + 3]) * c + seeds[s + 1]] = 1
      }
      let (kept, count) = mask(drawn, shape, blockSize)
      let keptNCHW = nchwFromNHWC(kept, shape: nchw)
      XCTAssertEqual(
        keptNCHW.indices.filter { keptNCHW[$0] == 0 }, try fixture.integers(key + ".full.dropped"))
      let output = apply(goldenImages(key + ".x", shape: nchw, seed: seed), kept, count)
      let dInput = apply(goldenImages(key + ".gy", shape: nchw, seed: seed), kept, count)
      guard fixture.contains(key + ".full.scale") else {
        XCTAssertEqual(output + dInput, [Float](repeating: 0, count: 2 * shape.count), key)
        continue
      }
      let scale = try fixture.float(key + ".full.scale")
      assertClose([dropBlockScale(count: shape.count, keptCount: count)], [scale], relative: 1e-6)
      try fixture.assertSampledImages(key + ".full.y", output, shape: nchw, relative: 1e-6)
      try fixture.assertSampledImages(key + ".full.gx", dInput, shape: nchw, relative: 1e-6)
    }
  }

  // MARK: Kernels on arrays

  private func corners(
    _ shape: ImageShape, blockSize: Int, gamma: Double, _ random: CounterRandom
  ) -> [UInt8] {
    let field = (shape.height - blockSize + 1) * (shape.width - blockSize + 1)
    var corners = [UInt8](repeating: 9, count: shape.batch * field * shape.channels)
    dropBlockCorners(
      corners: &corners, shape: shape, blockSize: blockSize, gamma: gamma, random: random)
    return corners
  }

  private func mask(_ corners: [UInt8], _ shape: ImageShape, _ blockSize: Int) -> (
    kept: [UInt8], count: Int
  ) {
    var kept = [UInt8](repeating: 9, count: shape.count)
    let count = dropBlockMask(corners: corners, shape: shape, blockSize: blockSize, kept: &kept)
    return (kept, count)
  }

  private func apply(_ input: [Float], _ kept: [UInt8], _ keptCount: Int) -> [Float] {
    var output = [Float](repeating: .nan, count: input.count)
    let scale = dropBlockScale(count: input.count, keptCount: keptCount)
    dropBlockApply(input, kept: kept, scale: scale, count: input.count, output: &output)
    return output
  }

  private func naiveMask(_ corners: [UInt8], _ shape: ImageShape, _ blockSize: Int) -> [UInt8] {
    let (rows, columns) = (shape.height - blockSize + 1, shape.width - blockSize + 1)
    return (0..<shape.count).map { index in
      let (c, j, i, n) = (
        index % shape.channels, index / shape.channels % shape.width,
        index / (shape.channels * shape.width) % shape.height,
        index / (shape.channels * shape.width * shape.height)
      )
      for top in max(0, i - blockSize + 1)..<min(i + 1, rows) {
        for left in max(0, j - blockSize + 1)..<min(j + 1, columns)
        where corners[((n * rows + top) * columns + left) * shape.channels + c] == 1 {
          return 0
        }
      }
      return 1
    }
  }
}
