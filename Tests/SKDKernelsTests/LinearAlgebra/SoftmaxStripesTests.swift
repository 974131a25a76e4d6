import SKDKernels
import SKDTestSupport
import XCTest

/// The softmax of large fits against that of small ones; the exponentials differ by some ulp.
final class SoftmaxStripesTests: XCTestCase {
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

    func evaluate(at t: Double) -> (line: SoftmaxDerivatives, residual: [Double]) {
      var residual = [Double](repeating: .nan, count: classes * length)
      var scratch = [Double](repeating: .nan, count: 5 * length)
      let line = softmaxAlongLineInStripes(
        logits: logits, intercepts: intercepts, dLogits: dLogits, dIntercepts: dIntercepts, at: t,
        labels: labels, samples: samples, classes: classes, length: length, residual: &residual,
        scratch: &scratch)
      return (line, residual)
    }

    func evaluateOnOneThread(at t: Double) -> (
      slope: Double, curvature: Double, residual: [Double]
    ) {
      var residual = [Double](repeating: 0, count: classes * length)
      var scratch = [Double](repeating: .nan, count: 4 * length)
      let line = softmaxAlongLine(
        logits: logits, intercepts: intercepts, dLogits: dLogits, dIntercepts: dIntercepts, at: t,
        labels: labels, samples: samples, classes: classes, length: length, residual: &residual,
        scratch: &scratch)
      return (line.slope, line.curvature, residual)
    }

    func hessianProduct(_ residual: inout [Double]) -> (energy: Double, product: [Double]) {
      var product = [Double](repeating: .nan, count: classes * length)
      var scratch = [Double](repeating: .nan, count: 2 * length)
      let energy = softmaxHessianProduct(
        residual: &residual, labels: labels, dLogits: dLogits, dIntercepts: dIntercepts,
        samples: samples, classes: classes, length: length, product: &product, scratch: &scratch)
      return (energy, product)
    }
  }

  /// Around the padding and the stripes, of 32 to 512 samples.
  private let extents = [
    (samples: 1, classes: 1), (7, 2), (8, 5), (33, 600), (511, 3), (513, 2), (1100, 4),
  ]

  func testDerivativesAndResidualMatchThoseOfSmallFits() {
    for (samples, classes) in extents {
      let problem = Problem(samples: samples, classes: classes)
      for t in [0, 0.7] {
        let (line, residual) = problem.evaluate(at: t)
        let expected = problem.evaluateOnOneThread(at: t)
        let what = "\(samples) \(classes)"
        XCTAssertEqual(line.slope, expected.slope, accuracy: 1e-11, what)
        XCTAssertEqual(line.curvature, expected.curvature, accuracy: 1e-11, what)
        var spread = Double(samples)
        for i in residual.indices {
          XCTAssertEqual(residual[i], expected.residual[i], accuracy: 1e-14, what)
          let (k, n) = (i / problem.length, i % problem.length)
          guard n < samples else { continue }
          let p = residual[i] + (Int(problem.labels[n]) == k ? 1 : 0)
          spread -= p * p
        }
        XCTAssertEqual(line.spread, spread, accuracy: 1e-10, what)
      }
    }
  }

  /// The product is the derivative of the residual; a central difference of 1e-4 is good to some 1e-8.
  func testHessianProductMatchesFiniteDifferencesAndKeepsTheResidual() {
    for (samples, classes) in extents {
      let problem = Problem(samples: samples, classes: classes)
      var (_, residual) = problem.evaluate(at: 0)
      let before = residual
      let (energy, product) = problem.hessianProduct(&residual)
      XCTAssertEqual(residual, before)
      let (below, above) = (
        problem.evaluate(at: -1e-4).residual, problem.evaluate(at: 1e-4).residual
      )
      for i in product.indices {
        XCTAssertEqual(product[i], (above[i] - below[i]) / 2e-4, accuracy: 1e-7)
      }
      XCTAssertEqual(energy, problem.evaluate(at: 0).line.curvature, accuracy: 1e-10)
    }
  }

  func testHugeLogitsStayFinite() {
    let (line, residual) = Problem(samples: 600, classes: 3, scale: 1e6).evaluate(at: 1)
    XCTAssertTrue(line.slope.isFinite && line.curvature.isFinite && line.spread.isFinite)
    XCTAssertTrue(residual.allSatisfy { (-1...1).contains($0) })
  }

  func testResultsHaveTheSameBitsForAnyNumberOfThreads() {
    let problem = Problem(samples: 1100, classes: 40)
    assertSameDoublesForAnyThreadCount {
      var (line, residual) = problem.evaluate(at: 0.3)
      let (energy, product) = problem.hessianProduct(&residual)
      return residual + product + [line.slope, line.curvature, line.spread, energy]
    }
  }
}
