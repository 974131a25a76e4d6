import CLibrary
import SKDKernels
import SKDRuntime

/// TIM-GD (Boudiaf et al., arXiv:2008.11297) and α-TIM (Veilleux et al., arXiv:2204.11181): class
/// weights that maximise the mutual information of queries and labels.
///
///     x ← x / ||x||,   p_nk = softmax over k of -temperature / 2 · ||x_n - w_k||²
///     loss = crossEntropyWeight · mean over the support of -log p_ny
///          + conditionalEntropyWeight · mean over the queries of H(p_n)
///          - marginalEntropyWeight · H(mean over the queries of p_n)
///     H(p) = -sum_k p_k log p_k,   or  (1 - sum_k p_k^alpha) / (alpha - 1)  for α-TIM
///     w_k  begins as the mean of the support rows of class k; `steps` steps of Adam descend
///     score[q, k] = p_qk,   objective = the loss, at the end
///
/// The steps are in Float, like the authors' code.
final class TIM: TransductiveSolver {
  typealias Vector = UnsafeMutablePointer<Float>

  private let options: TIMOptions
  private let assignments: AssignmentExtent
  private let rows: Int
  private let dimensions: Int
  private let dimensionBlocks: Int
  private let classMeans: AlignedBuffer<Double>
  private let features: AlignedBuffer<Float>  // by dimensions, then transposed
  private let weightMemory: AlignedBuffer<Float>  // four of [dimensionBlocks][classes][32]
  private let assignmentMemory: AlignedBuffer<Float>  // three of [blocks][classes][32]
  private let sampleMemory: AlignedBuffer<Float>  // two of [columns]
  private let classMemory: AlignedBuffer<Float>  // four of [classes], then scratch

  init(_ options: TIMOptions, _ extent: TransductiveClassifier.Extent) throws {
    self.options = options
    rows = extent.supportRows + extent.queryRows
    dimensions = extent.dimensions
    dimensionBlocks = blockCount(columns: dimensions)
    assignments = AssignmentExtent(samples: rows, classes: extent.classes)
    let classes = extent.classes
    classMeans = try AlignedBuffer(count: classes * paddedRowLength(dimensions))
    features = try AlignedBuffer(
      count: blockedCount(rows: rows, columns: dimensions)
        + blockedCount(rows: dimensions, columns: rows))
    weightMemory = try AlignedBuffer(count: 4 * blockedCount(rows: classes, columns: dimensions))
    assignmentMemory = try AlignedBuffer(count: 3 * assignments.count)
    sampleMemory = try AlignedBuffer(count: 2 * assignments.columns)
    classMemory = try AlignedBuffer(count: 4 * classes + assignments.scratchCount)
  }

  // MARK: Memory

  private var classes: Int { assignments.classes }
  private var weightCount: Int { blockedCount(rows: classes, columns: dimensions) }
  private var transposed: Vector {
    features.pointer + blockedCount(rows: rows, columns: dimensions)
  }
  private var weights: Vector { weightMemory.pointer }
  private var firstMoments: Vector { weights + weightCount }
  private var secondMoments: Vector { firstMoments + weightCount }
  private var products: Vector { secondMoments + weightCount }
  private var probabilities: Vector { assignmentMemory.pointer }  // also z and the residual
  private var logProbabilities: Vector { probabilities + assignments.count }
  private var targets: Vector { logProbabilities + assignments.count }
  private var queryWeights: Vector { sampleMemory.pointer }
  private var supportWeights: Vector { queryWeights + assignments.columns }
  private var halfSquares: Vector { classMemory.pointer }
  private var mean: Vector { halfSquares + classes }
  private var marginalSlopes: Vector { mean + classes }
  private var residualSums: Vector { marginalSlopes + classes }
  private var scratch: Vector { residualSums + classes }

  /// Position of a sample's class in a matrix of assignments.
  private func index(_ sample: Int, _ k: Int) -> Int {
    let width = assignments.columns / assignments.blocks
    return (sample / width * classes + k) * width + sample % width
  }

  // MARK: The method

  func solve(_ episode: EpisodeMatrix) -> Double? {
    begin(episode)
    var powers = (1.0, 1.0)
    for _ in 0..<options.steps {
      powers = AdamRates.next(powers)
      assign()
      descend(AdamRates(learningRate: options.learningRate, powers: powers))
    }
    assign()
    for q in 0..<episode.queryRows {
      for k in 0..<classes {
        episode.scores[q * classes + k] = Double(probabilities[index(episode.supportRows + q, k)])
      }
    }
    return loss(episode)
  }

  private func begin(_ episode: EpisodeMatrix) {
    episode.normalizeRows()
    episode.averageClasses(into: classMeans.pointer)
    weights.update(repeating: 0, count: 4 * weightCount)
    packBlocks(
      classMeans.pointer, rowCount: classes, columns: dimensions, length: episode.length,
      into: weights)
    packBlocks(
      episode.features, rowCount: rows, columns: dimensions, length: episode.length,
      into: features.pointer)
    packTransposedBlocks(
      episode.features, rowCount: rows, columns: dimensions, length: episode.length,
      into: transposed)
    sampleMemory.pointer.update(repeating: 0, count: 2 * assignments.columns)
    targets.update(repeating: 0, count: assignments.count)
    for n in episode.query { queryWeights[n] = 1 / Float(episode.queryRows) }
    for n in episode.support {
      supportWeights[n] = Float(options.crossEntropyWeight / Double(episode.supportRows))
      targets[index(n, episode.labels[n])] = 1
    }
  }

  private func assign() {
    sumHalfSquares(
      weights, blocks: dimensionBlocks, classes: classes, into: halfSquares, scratch: scratch)
    multiplyBlocked(
      weights, rows: classes, depth: dimensions, transposed, blocks: assignments.blocks,
      into: probabilities)
    assignSoftly(
      probabilities, halfSquares: halfSquares, temperature: Float(options.temperature),
      assignments, sampleWeights: queryWeights, probabilities: probabilities,
      logProbabilities: logProbabilities, mean: mean, scratch: scratch)
  }

  private func descend(_ rates: AdamRates) {
    for k in 0..<classes { marginalSlopes[k] = marginalSlope(at: Double(mean[k])) }
    let weight = Float(options.conditionalEntropyWeight)
    entropyGradient(
      probabilities: probabilities, logProbabilities: logProbabilities, assignments,
      conditional: options.alpha.map { .tsallis(weight: weight, alpha: Float($0)) }
        ?? .shannon(weight: weight),
      marginalSlopes: marginalSlopes, queryWeights: queryWeights, supportWeights: supportWeights,
      targets: targets, residual: probabilities, residualSums: residualSums, scratch: scratch)
    multiplyBlocked(
      probabilities, rows: classes, depth: rows, features.pointer, blocks: dimensionBlocks,
      into: products)
    adamStep(
      weights, products: products, residualSums: residualSums, scale: Float(options.temperature),
      blocks: dimensionBlocks, classes: classes, rates, firstMoments: firstMoments,
      secondMoments: secondMoments)
  }

  /// The derivative of minus the weighted marginal entropy, but for constants.
  private func marginalSlope(at probability: Double) -> Float {
    let p = max(probability, Double(Float.leastNormalMagnitude))
    guard let alpha = options.alpha else { return Float(options.marginalEntropyWeight * log(p)) }
    return Float(options.marginalEntropyWeight * alpha / (alpha - 1) * pow(p, alpha - 1))
  }

  private func loss(_ episode: EpisodeMatrix) -> Double {
    var (crossEntropy, conditional, marginal) = (0.0, 0.0, 0.0)
    for n in episode.support {
      crossEntropy -= Double(logProbabilities[index(n, episode.labels[n])])
    }
    for n in episode.query {
      conditional += entropy { Double(self.logProbabilities[self.index(n, $0)]) }
    }
    let least = Double(Float.leastNormalMagnitude)
    marginal = entropy { log(max(Double(self.mean[$0]), least)) }
    return options.crossEntropyWeight * crossEntropy / Double(episode.supportRows)
      + options.conditionalEntropyWeight * conditional / Double(episode.queryRows)
      - options.marginalEntropyWeight * marginal
  }

  private func entropy(_ logProbability: (Int) -> Double) -> Double {
    var sum = 0.0
    for k in 0..<classes {
      let logP = logProbability(k)
      sum += options.alpha.map { exp($0 * logP) } ?? -exp(logP) * logP
    }
    return options.alpha.map { (1 - sum) / ($0 - 1) } ?? sum
  }
}
