import SKDKernels
import SKDTestSupport
import XCTest

final class ElementwiseTests: XCTestCase {
  // Around the vector (16) and the chunk (16384).
  private let counts = [0, 1, 7, 15, 16, 17, 32, 16_383, 16_384, 16_385, 40_000]
  private let slopes = [1, 0.1, 0] as [Float]

  func testScaleInPlaceMatchesTheFormula() {
    for count in counts {
      var target = values("target", count)
      let expected = target.map { $0 * -0.75 }
      scaleInPlace(&target, by: -0.75, count: count)
      XCTAssertEqual(target, expected, "\(count)")
    }
  }

  func testLeakyReLUMatchesTheFormula() {
    for count in counts {
      for slope in slopes {
        let (input, dOutput) = (eighths("input", count), values("dOutput", count))
        XCTAssertEqual(
          forward(input, slope), input.map { $0 > 0 ? $0 : slope * $0 }, "\(count), \(slope)")
        XCTAssertEqual(
          backward(input, dOutput, slope),
          zip(input, dOutput).map { $0 > 0 ? $1 : slope * $1 }, "\(count), \(slope)")
      }
    }
  }

  func testLeakyReLUBackwardTakesTheOutputForTheInput() {
    let (input, dOutput) = (eighths("input", 100), values("dOutput", 100))
    for slope in [0.1, 0] as [Float] {
      XCTAssertEqual(
        backward(forward(input, slope), dOutput, slope), backward(input, dOutput, slope))
    }
  }

  func testLeakyReLUBackwardMatchesFiniteDifferences() {
    // Away from the kink at 0 by more than the step.
    let input = values("input", 40).map { $0 + ($0 > 0 ? 0.1 : -0.1) }
    let dOutput = values("dOutput", 40)
    assertGradient(
      backward(input, dOutput, 0.1),
      of: { weightedSum(self.forward($0, 0.1).map(Double.init), dOutput) }, at: input, step: 1e-2)
  }

  func testActivationsWorkInPlace() {
    let (input, dOutput) = (eighths("input", 100), values("dOutput", 100))
    var (output, dInput) = (input, dOutput)
    output.withUnsafeMutableBufferPointer {
      leakyReLUForward($0.baseAddress!, count: 100, slope: 0.1, output: $0.baseAddress!)
    }
    dInput.withUnsafeMutableBufferPointer {
      leakyReLUBackward(input, $0.baseAddress!, count: 100, slope: 0.1, dInput: $0.baseAddress!)
    }
    XCTAssertEqual(output, forward(input, 0.1))
    XCTAssertEqual(dInput, backward(input, dOutput, 0.1))
  }

  func testAddInPlaceAdds() {
    for count in counts {
      let (before, addend) = (values("target", count), values("addend", count))
      var target = before
      addInPlace(&target, addend, count: count)
      XCTAssertEqual(target, zip(before, addend).map { $0 + $1 }, "\(count)")
      // A power of two scales without rounding.
      target = before
      addInPlace(&target, addend, scale: -0.5, count: count)
      XCTAssertEqual(target, zip(before, addend).map { $0 - 0.5 * $1 }, "\(count)")
    }
  }

  func testResultsDoNotDependOnThreads() {
    let (input, dOutput) = (eighths("input", 50_001), values("dOutput", 50_001))
    assertSameForAnyThreadCount { [forward(input, 0.1), backward(input, dOutput, 0.1)] }
  }

  func testGoldenValues() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    for (key, slope) in [("leaky", 0.1), ("relu", 0)] as [(String, Float)] {
      let extents = try fixture.integers(key + ".y.shape")
      let count = extents.reduce(1, *)
      let input = uniform("act.x", count: count, seed: seed).map {
        Float(($0 * 8).rounded(.down) / 8)
      }
      let dOutput = fill(key + ".gy", shape: extents, seed: seed)
      try fixture.assertSampled(key + ".y", forward(input, slope), relative: 1e-6)
      try fixture.assertSampled(key + ".g.x", backward(input, dOutput, slope), relative: 1e-6)
    }
  }

  /// Values of which some are 0.
  private func eighths(_ name: String, _ count: Int) -> [Float] {
    values(name, count).map { ($0 * 8).rounded(.down) / 8 }
  }

  private func forward(_ input: [Float], _ slope: Float) -> [Float] {
    var output = [Float](repeating: .nan, count: input.count)
    leakyReLUForward(input, count: input.count, slope: slope, output: &output)
    return output
  }

  private func backward(_ input: [Float], _ dOutput: [Float], _ slope: Float) -> [Float] {
    var dInput = [Float](repeating: .nan, count: input.count)
    leakyReLUBackward(input, dOutput, count: input.count, slope: slope, dInput: &dInput)
    return dInput
  }
}
