import Foundation
import SKDTestSupport
import XCTest

@testable import SKDKernels

/// One step of TIM against formulas written out in Double, and against finite differences.
final class InformationMaximizationTests: XCTestCase {
  /// Random rows and weights, with the last samples as the support set.
  private struct Problem {
    let samples: Int
    let support: Int
    let dimensions: Int
    let classes: Int
    let rows: [Double]
    let weights: [Float]
    let temperature = 1.5
    let crossEntropy = 0.7
    let marginal = 0.9
    let conditional = 0.3
    let alpha: Double?

    init(samples: Int, dimensions: Int, classes: Int, alpha: Double?) {
      self.samples = samples
      self.dimensions = dimensions
      self.classes = classes
      self.alpha = alpha
      support = samples / 3
      rows = uniform("x", count: samples * dimensions, seed: samples << 32)
      weights = uniform("w", count: classes * dimensions, seed: classes << 32).map { Float($0) }
    }

    var queries: Int { samples - support }
    func label(_ n: Int) -> Int { n % classes }

    func probabilities(_ weights: [Float], _ n: Int) -> [Double] {
      let logits = (0..<classes).map { k in
        (0..<dimensions).reduce(0.0) { sum, d in
          let difference = rows[n * dimensions + d] - Double(weights[k * dimensions + d])
          return sum - temperature / 2 * difference * difference
        }
      }
      let powers = logits.map { exp($0 - logits.max()!) }
      return powers.map { $0 / powers.reduce(0, +) }
    }

    func entropy(_ p: [Double]) -> Double {
      guard let alpha else { return -p.reduce(0) { $0 + $1 * log($1) } }
      return (1 - p.reduce(0) { $0 + pow($1, alpha) }) / (alpha - 1)
    }

    func loss(_ weights: [Float]) -> Double {
      var (sum, mean) = (0.0, [Double](repeating: 0, count: classes))
      for n in 0..<samples {
        let p = probabilities(weights, n)
        if n < queries {
          sum += conditional * entropy(p) / Double(queries)
          for k in 0..<classes { mean[k] += p[k] / Double(queries) }
        } else {
          sum -= crossEntropy * log(p[label(n)]) / Double(support)
        }
      }
      return sum - marginal * entropy(mean)
    }
  }

  func testGradientIsThatOfTheLoss() {
    for alpha in [nil, 2.0, 7.0, 1.3] {
      for (samples, dimensions, classes) in [(3, 1, 2), (33, 31, 5), (80, 33, 3), (7, 64, 7)] {
        let problem = Problem(
          samples: samples, dimensions: dimensions, classes: classes, alpha: alpha)
        let step = Step(problem)
        assertGradient(
          step.gradient, of: problem.loss, at: problem.weights, step: 1e-3, tolerance: 2e-3,
          "alpha \(String(describing: alpha)), \(samples) samples")
        for n in 0..<samples {
          let expected = problem.probabilities(problem.weights, n)
          for k in 0..<classes {
            XCTAssertEqual(Double(step.probability(n, k)), expected[k], accuracy: 2e-6)
          }
        }
      }
    }
  }

  func testAdamMovesTheWeightsByItsFormula() {
    let problem = Problem(samples: 12, dimensions: 5, classes: 2, alpha: nil)
    let step = Step(problem)
    let (g, old) = (step.gradient, problem.weights.map { Double($0) })
    step.descend(AdamRates(learningRate: 0.01, powers: AdamRates.next((1, 1))))
    for i in old.indices {
      // After the bias corrections the first step is the learning rate against the gradient's sign.
      let gradient = Double(g[i])
      let expected = old[i] - 0.01 * gradient / (abs(gradient) + 1e-8)
      XCTAssertEqual(Double(step.weight(i)), expected, accuracy: 1e-6)
    }
  }

  /// The kernels of one step, in the order of their use.
  private final class Step {
    private let problem: Problem
    private let extent: AssignmentExtent
    private let blocks: Int
    private let weights: GuardedBuffer
    private let products: GuardedBuffer
    private let moments: (GuardedBuffer, GuardedBuffer)
    private let sums: GuardedBuffer
    private let assigned: GuardedBuffer
    private(set) var gradient: [Float] = []

    init(_ problem: Problem) {
      self.problem = problem
      let (rows, columns, classes) = (problem.samples, problem.dimensions, problem.classes)
      extent = AssignmentExtent(samples: rows, classes: classes)
      blocks = blockCount(columns: columns)
      let count = blockedCount(rows: classes, columns: columns)
      weights = GuardedBuffer(count: count, alignment: 64)
      packBlocks(
        problem.weights.map { Double($0) }, rowCount: classes, columns: columns, length: columns,
        into: weights.pointer)
      let x = GuardedBuffer(count: blockedCount(rows: rows, columns: columns), alignment: 64)
      let transposed = GuardedBuffer(
        count: blockedCount(rows: columns, columns: rows), alignment: 64)
      packBlocks(
        problem.rows, rowCount: rows, columns: columns, length: columns, into: x.pointer)
      packTransposedBlocks(
        problem.rows, rowCount: rows, columns: columns, length: columns, into: transposed.pointer)
      let logits = GuardedBuffer(count: extent.count, alignment: 64)
      let logProbabilities = GuardedBuffer(count: extent.count)
      let targets = GuardedBuffer([Float](repeating: 0, count: extent.count))
      let query = GuardedBuffer([Float](repeating: 0, count: extent.columns))
      let support = GuardedBuffer([Float](repeating: 0, count: extent.columns))
      let (halfSquares, mean) = (GuardedBuffer(count: classes), GuardedBuffer(count: classes))
      let slopes = GuardedBuffer(count: classes)
      let scratch = GuardedBuffer(count: extent.scratchCount)
      sums = GuardedBuffer(count: classes)
      products = GuardedBuffer(count: count, alignment: 64)
      moments = (
        GuardedBuffer([Float](repeating: 0, count: count)),
        GuardedBuffer([Float](repeating: 0, count: count))
      )
      for n in 0..<rows {
        if n < problem.queries {
          query.pointer[n] = 1 / Float(problem.queries)
        } else {
          support.pointer[n] = Float(problem.crossEntropy / Double(problem.support))
          targets.pointer[(n / 32 * classes + problem.label(n)) * 32 + n % 32] = 1
        }
      }
      sumHalfSquares(
        weights.pointer, blocks: blocks, classes: classes, into: halfSquares.pointer,
        scratch: scratch.pointer)
      multiplyBlocked(
        weights.pointer, rows: classes, depth: columns, transposed.pointer, blocks: extent.blocks,
        into: logits.pointer)
      assignSoftly(
        logits.pointer, halfSquares: halfSquares.pointer, temperature: Float(problem.temperature),
        extent, sampleWeights: query.pointer, probabilities: logits.pointer,
        logProbabilities: logProbabilities.pointer, mean: mean.pointer, scratch: scratch.pointer)
      assigned = GuardedBuffer(
        Array(UnsafeBufferPointer(start: logits.pointer, count: extent.count)))
      let weight = Float(problem.conditional)
      for k in 0..<classes {
        let p = Double(mean.pointer[k])
        slopes.pointer[k] = Float(
          problem.alpha.map { problem.marginal * $0 / ($0 - 1) * pow(p, $0 - 1) }
            ?? problem.marginal * log(p))
      }
      entropyGradient(
        probabilities: logits.pointer, logProbabilities: logProbabilities.pointer, extent,
        conditional: problem.alpha.map { .tsallis(weight: weight, alpha: Float($0)) }
          ?? .shannon(weight: weight),
        marginalSlopes: slopes.pointer, queryWeights: query.pointer,
        supportWeights: support.pointer, targets: targets.pointer, residual: logits.pointer,
        residualSums: sums.pointer, scratch: scratch.pointer)
      multiplyBlocked(
        logits.pointer, rows: classes, depth: rows, x.pointer, blocks: blocks,
        into: products.pointer)
      gradient = (0..<classes * columns).map { i in
        let residual = sums.pointer[i / columns] * problem.weights[i]
        return Float(problem.temperature) * (products.pointer[position(of: i)] - residual)
      }
    }

    func descend(_ rates: AdamRates) {
      adamStep(
        weights.pointer, products: products.pointer, residualSums: sums.pointer,
        scale: Float(problem.temperature), blocks: blocks, classes: problem.classes, rates,
        firstMoments: moments.0.pointer, secondMoments: moments.1.pointer)
    }

    func weight(_ i: Int) -> Float { weights.pointer[position(of: i)] }

    func probability(_ n: Int, _ k: Int) -> Float {
      assigned.pointer[(n / 32 * problem.classes + k) * 32 + n % 32]
    }

    /// Position of weight i = k · dimensions + d in the blocks.
    private func position(of i: Int) -> Int {
      let (k, d) = (i / problem.dimensions, i % problem.dimensions)
      return (d / 32 * problem.classes + k) * 32 + d % 32
    }
  }
}
