import Foundation
import SKDKernels
import SKDTestSupport
import XCTest

final class SoftmaxLineTests: XCTestCase {
  private struct Problem {
    let samples: Int
    let classes: Int
    let length: Int
    let logits: [Double]
    let dLogits: [Double]
    let intercepts: [Double]
    let dIntercepts: [Double]
    let labels: [Int32]

    init(samples: Int, classes: Int, scale: Double = 1) {
      self.samples = samples
      self.classes = classes
      length = paddedRowLength(samples)
      logits = uniform("z", count: classes * length, seed: samples << 32).map { scale * $0 }
      dLogits = uniform("dz", count: classes * length, seed: samples << 32)
      intercepts = uniform("b", count: classes, seed: 0)
      dIntercepts = uniform("db", count: classes, seed: 0)
      labels = (0..<samples).map { Int32($0 % classes) }
    }

    func evaluate(at t: Double, residual: inout [Double]) -> (slope: Double, curvature: Double) {
      var scratch = [Double](repeating: .nan, count: 4 * length)
      return softmaxAlongLine(
        logits: logits, intercepts: intercepts, dLogits: dLogits, dIntercepts: dIntercepts, at: t,
        labels: labels, samples: samples, classes: classes, length: length, residual: &residual,
        scratch: &scratch)
    }

    func scores(of n: Int, at t: Double) -> [Double] {
      (0..<classes).map { k in
        let start = logits[k * length + n] + intercepts[k]
        return start + t * (dLogits[k * length + n] + dIntercepts[k])
      }
    }

    func loss(at t: Double) -> Double {
      (0..<samples).reduce(0) { sum, n in
        let scores = scores(of: n, at: t)
        return sum + log(scores.reduce(0) { $0 + exp($1) }) - scores[Int(labels[n])]
      }
    }
  }

  func testResidualMatchesNaiveReferenceAndPaddingIsLeft() {
    for samples in [1, 2, 7, 8, 9] {
      for classes in [1, 2, 5] {
        let problem = Problem(samples: samples, classes: classes)
        var residual = [Double](repeating: 9, count: classes * problem.length)
        _ = problem.evaluate(at: 0.3, residual: &residual)
        for n in 0..<problem.length {
          let weights = problem.scores(of: n, at: 0.3).map { exp($0) }
          for k in 0..<classes {
            var expected = 9.0
            if n < samples {
              expected = weights[k] / weights.reduce(0, +)
              if Int(problem.labels[n]) == k { expected -= 1 }
            }
            XCTAssertEqual(residual[k * problem.length + n], expected, accuracy: 1e-14)
          }
        }
      }
    }
  }

  /// Differences of steps of 1e-4 in Double are good to some 1e-7.
  func testSlopeAndCurvatureMatchFiniteDifferences() {
    for samples in [1, 7, 9] {
      let problem = Problem(samples: samples, classes: 4)
      var residual = [Double](repeating: 0, count: 4 * problem.length)
      for t in [-1, 0, 0.7] {
        let line = problem.evaluate(at: t, residual: &residual)
        let (below, at, above) = (
          problem.loss(at: t - 1e-4), problem.loss(at: t), problem.loss(at: t + 1e-4)
        )
        XCTAssertEqual(line.slope, (above - below) / 2e-4, accuracy: 1e-6)
        XCTAssertEqual(line.curvature, (above - 2 * at + below) / 1e-8, accuracy: 1e-5)
      }
    }
  }

  func testHugeLogitsStayFinite() {
    let problem = Problem(samples: 9, classes: 3, scale: 1e6)
    var residual = [Double](repeating: 0, count: 3 * problem.length)
    let line = problem.evaluate(at: 1, residual: &residual)
    XCTAssertTrue(line.slope.isFinite && line.curvature.isFinite)
    XCTAssertTrue(residual.allSatisfy { (-1...1).contains($0) })
  }
}
