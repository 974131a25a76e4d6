import SKDKernels
import SKDRuntime
import SKDTestSupport
import XCTest

final class DropoutTests: XCTestCase {
  func testMaskFollowsTheRandomStream() {
    let random = CounterRandom(seed: 5, purpose: .dropout, step: 3, index: 2)
    for count in [0, 1, 3, 4, 5, 16, 17, 4095, 4096, 4097, 9_001] {
      let rate: Float = 0.3
      let kept = mask(count, rate, random)
      let expected: [UInt8] = (0..<count).map {
        Double(random.word(at: $0)) * 0x1p-32 < Double(rate) ? 0 : 1
      }
      XCTAssertEqual(kept, expected, "\(count)")
    }
  }

  func testMaskOfAPartIsThePartOfTheMask() {
    let random = CounterRandom(seed: 5, purpose: .dropout, step: 3, index: 2)
    let whole = mask(20_000, 0.3, random)
    for (first, count) in [(0, 5), (1, 0), (1, 200), (3, 64), (4, 64), (7, 16_400), (66, 131)] {
      var kept = [UInt8](repeating: 9, count: count)
      dropoutMask(kept: &kept, count: count, rate: 0.3, random: random, from: first)
      XCTAssertEqual(kept, Array(whole[first..<first + count]), "\(count) from \(first)")
    }
  }

  func testMaskDropsTheAskedShare() {
    let count = 100_000
    for rate in [0, 0.1, 0.5] as [Float] {
      let kept = mask(count, rate, CounterRandom(seed: 1, purpose: .dropout)).count { $0 == 1 }
      // Five standard deviations of a binomial share; at rate 0 exactly none.
      let deviation = 5 * (Double(rate) * Double(1 - rate) / Double(count)).squareRoot()
      XCTAssertEqual(Double(kept) / Double(count), 1 - Double(rate), accuracy: deviation + 1e-7)
    }
  }

  func testApplyMatchesTheFormula() {
    for count in [0, 1, 7, 15, 16, 17, 32, 16_385] {
      let input = values("input", count)
      let kept = mask(count, 0.25, CounterRandom(seed: 2, purpose: .dropout))
      let expected = zip(input, kept).map { $1 == 1 ? $0 / 0.75 : 0 }
      assertClose(apply(input, kept, 0.25), expected, relative: 2e-7, "\(count)")
    }
  }

  func testApplyIsItsOwnGradient() {
    let (input, dOutput) = (values("input", 50), values("dOutput", 50))
    let kept = mask(50, 0.5, CounterRandom(seed: 3, purpose: .dropout))
    assertGradient(
      apply(dOutput, kept, 0.5),
      of: { weightedSum(self.apply($0, kept, 0.5).map(Double.init), dOutput) }, at: input,
      step: 1e-2)
  }

  func testApplyWorksInPlace() {
    var values = values("input", 37)
    let kept = mask(37, 0.5, CounterRandom(seed: 4, purpose: .dropout))
    let expected = apply(values, kept, 0.5)
    values.withUnsafeMutableBufferPointer {
      dropoutApply($0.baseAddress!, kept: kept, count: 37, rate: 0.5, output: $0.baseAddress!)
    }
    XCTAssertEqual(values, expected)
  }

  func testResultsDoNotDependOnThreads() {
    let (random, input) = (CounterRandom(seed: 9, purpose: .dropout), values("input", 50_001))
    assertSameForAnyThreadCount {
      let kept = mask(input.count, 0.1, random)
      return [kept.map(Float.init), apply(input, kept, 0.1)]
    }
  }

  func testGoldenValues() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    let shape = try fixture.integers("dropout.y.shape")
    let kept: [UInt8] = uniform("dropout.mask", count: shape.reduce(1, *), seed: seed).map {
      $0 < -0.8 ? 0 : 1
    }
    XCTAssertEqual(kept.count { $0 == 1 }, try fixture.integer("dropout.kept"))
    let input = fill("dropout.x", shape: shape, seed: seed)
    let dOutput = fill("dropout.gy", shape: shape, seed: seed)
    try fixture.assertSampled("dropout.y", apply(input, kept, 0.1), relative: 1e-6)
    try fixture.assertSampled("dropout.g.x", apply(dOutput, kept, 0.1), relative: 1e-6)
  }

  private func mask(_ count: Int, _ rate: Float, _ random: CounterRandom) -> [UInt8] {
    var kept = [UInt8](repeating: 9, count: count)
    dropoutMask(kept: &kept, count: count, rate: rate, random: random)
    return kept
  }

  private func apply(_ input: [Float], _ kept: [UInt8], _ rate: Float) -> [Float] {
    var output = [Float](repeating: .nan, count: input.count)
    dropoutApply(input, kept: kept, count: input.count, rate: rate, output: &output)
    return output
  }
}
