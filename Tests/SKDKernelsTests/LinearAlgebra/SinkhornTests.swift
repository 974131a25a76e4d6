import Foundation
import SKDKernels
import SKDTestSupport
import XCTest

final class SinkhornTests: XCTestCase {
  /// The iteration as its paper has it, on the plan itself: rows, then columns.
  private func plan(_ kernel: [[Double]], mass: Double, limit: Int) -> [[Double]] {
    var plan = kernel
    var sums = [Double](repeating: 0, count: plan[0].count)
    for _ in 0..<limit {
      let now = sums.indices.map { n in plan.reduce(0) { $0 + $1[n] } }
      if zip(now, sums).allSatisfy({ abs($0 - $1) <= 1e-6 }) { break }
      sums = now
      for k in plan.indices {
        for n in sums.indices { plan[k][n] /= sums[n] }
        let factor = mass / plan[k].reduce(0, +)
        for n in sums.indices { plan[k][n] *= factor }
      }
    }
    return plan
  }

  private func balanced(_ kernel: [[Double]], mass: Double, limit: Int = 1000) -> [[Double]] {
    let (classes, samples) = (kernel.count, kernel[0].count)
    let length = paddedRowLength(samples)
    let padded = kernel.flatMap { $0 + [Double](repeating: 0, count: length - samples) }
    var sampleFactors = [Double](repeating: .nan, count: length)
    var classFactors = [Double](repeating: .nan, count: classes)
    var scratch = [Double](repeating: .nan, count: 2 * length)
    balanceBySinkhorn(
      padded, classes: classes, length: length, classMass: mass, tolerance: 1e-6,
      maximumIterations: limit, sampleFactors: &sampleFactors, classFactors: &classFactors,
      scratch: &scratch)
    return kernel.indices.map { k in
      (0..<samples).map { kernel[k][$0] * sampleFactors[$0] * classFactors[k] }
    }
  }

  func testPlanMatchesTheIterationOfThePaperAndItsMassesAreBalanced() {
    for (classes, samples) in [(1, 1), (2, 7), (5, 75), (3, 8), (7, 9)] {
      let values = uniform("k", count: classes * samples, seed: samples << 32)
      let kernel = (0..<classes).map { k in
        (0..<samples).map { exp(-10 * abs(values[k * samples + $0])) }
      }
      let mass = Double(samples) / Double(classes)
      for limit in [1, 3, 1000] {
        let (actual, expected) = (
          balanced(kernel, mass: mass, limit: limit), plan(kernel, mass: mass, limit: limit)
        )
        for k in 0..<classes {
          for n in 0..<samples { XCTAssertEqual(actual[k][n], expected[k][n], accuracy: 1e-9) }
          XCTAssertEqual(actual[k].reduce(0, +), mass, accuracy: 1e-9)
        }
      }
      let result = balanced(kernel, mass: mass)
      for n in 0..<samples {
        XCTAssertEqual(result.reduce(0) { $0 + $1[n] }, 1, accuracy: 1e-4)
      }
    }
  }

  func testZerosGiveFiniteFactors() {
    let result = balanced([[1, 1, 0], [0, 0, 0]], mass: 1.5)
    XCTAssertTrue(result.joined().allSatisfy(\.isFinite))
  }

  func testPowerTransformClampsNegativeValuesAndRootsAreSquareRoots() {
    for (power, expected) in [
      (0.5, [0.1, 2, 0.1]), (1.0, [0.01, 4, 0.01]), (2.0, [1e-4, 16, 1e-4]),
    ] {
      var row = [-3, 3.99, 0.0]
      powerTransform(&row, count: 3, offset: 0.01, power: power)
      for (actual, wanted) in zip(row, expected) {
        XCTAssertEqual(actual, wanted, accuracy: 1e-15 * 16)
      }
    }
  }
}
