import SKDKernels
import SKDTestSupport
import XCTest

final class OptimizerTests: XCTestCase {
  func testStepComputedByHand() {
    var parameter: [Float] = [1, -2]
    var velocity: [Float] = [.nan, .nan]  // not read in the first step
    sgdStep(
      parameter: &parameter, gradient: [0.5, 1], velocity: &velocity, count: 2,
      learningRate: 0.5, momentum: 0.5, weightDecay: 0.25, isFirstStep: true)
    XCTAssertEqual(velocity, [0.75, 0.5])
    XCTAssertEqual(parameter, [0.625, -2.25])
    sgdStep(
      parameter: &parameter, gradient: [0, 0], velocity: &velocity, count: 2, learningRate: 1,
      momentum: 0.5, weightDecay: 0, isFirstStep: false)
    XCTAssertEqual(velocity, [0.375, 0.25])
    XCTAssertEqual(parameter, [0.25, -2.5])
  }

  func testStepsMatchNaiveReference() {
    for count in [0, 1, 7, 15, 16, 17, 32, 16_385] {
      var (parameter, velocity) = (values("parameter", count), values("velocity", count))
      var expected = (parameter: parameter.map(Double.init), velocity: velocity.map(Double.init))
      for step in 0..<3 {
        let gradient = values("gradient\(step)", count)
        sgdStep(
          parameter: &parameter, gradient: gradient, velocity: &velocity, count: count,
          learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4, isFirstStep: step == 0)
        for i in 0..<count {
          let g = Double(gradient[i]) + 5e-4 * expected.parameter[i]
          expected.velocity[i] = step == 0 ? g : 0.9 * expected.velocity[i] + g
          expected.parameter[i] -= 0.05 * expected.velocity[i]
        }
      }
      assertClose(parameter, expected.parameter.map(Float.init), absolute: 5e-7, "\(count)")
      assertClose(velocity, expected.velocity.map(Float.init), absolute: 1e-6, "\(count)")
    }
  }

  func testResultsDoNotDependOnThreads() {
    let count = 50_001
    assertSameForAnyThreadCount {
      var (parameter, velocity) = (values("parameter", count), values("velocity", count))
      sgdStep(
        parameter: &parameter, gradient: values("gradient", count), velocity: &velocity,
        count: count, learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4, isFirstStep: false)
      return [parameter, velocity]
    }
  }

  func testLargestMagnitudeOfEveryKindOfValue() {
    for count in [1, 15, 16, 17, 16_385, 40_000] {
      var values = values("values", count)
      let expected = values.reduce(0) { max($0, $1.magnitude) }
      XCTAssertEqual(largestMagnitude(values, count: count), expected, "\(count)")
      values[count - 1] = -.infinity
      XCTAssertEqual(largestMagnitude(values, count: count), .infinity, "\(count)")
      values[count / 2] = -.nan
      XCTAssertTrue(largestMagnitude(values, count: count).isNaN, "\(count)")
      XCTAssertFalse(allFinite(values, count: count), "\(count)")
    }
    XCTAssertEqual(largestMagnitude([], count: 0), 0)
    XCTAssertEqual(largestMagnitude([-0.0, 1e-45], count: 2), 1e-45)
  }
}
