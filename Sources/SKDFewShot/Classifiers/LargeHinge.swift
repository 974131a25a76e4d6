import SKDKernels
import SKDRuntime

/// The memory and the method of a large `LinearSVC`: the method of `SquaredHinge`, with the classes side
/// by side.
///
/// All samples are active at first, so all classes share one factorisation. Later each class has equations
/// of its own, for its active samples, and the threads solve different classes. The outputs of all classes
/// are one matrix product.
final class LargeHinge {
  private typealias Vector = UnsafeMutablePointer<Double>

  /// Most classes that are solved side by side: enough for the matrix products, in bounded memory.
  private static let mostClasses = 256
  /// Most samples whose products with each other are kept.
  private static let mostGramRows = 2048
  /// Most elements of all workspaces together, 1 GB: with large equations, fewer classes are solved at
  /// once than there are threads.
  private static let mostWorkspaceElements = 1 << 27
  /// Most samples that are added to the shared equations at once.
  private static let panelSamples = 1024

  private let rows: Int
  private let dimensions: Int  // with the 1
  private let chunk: Int  // classes at once
  private let sampleLength: Int
  private let featureLength: Int
  private let usesSamples: Bool
  private let features: AlignedBuffer<Double>  // [rows, featureLength]
  private let transposed: AlignedBuffer<Double>  // [dimensions, sampleLength], or a panel of it
  private let gram: AlignedBuffer<Double>?
  private let labels: AlignedBuffer<Int32>
  private let system: SharedSystem
  private let vectors: AlignedBuffer<Double>
  private let workspaces: [HingeWorkspace]

  /// - Parameters:
  ///   - classes: Classes that are solved.
  ///   - workers: Most classes that are solved at once, each on a thread and in memory of its own.
  /// - Throws: `SKDError.outOfMemory`.
  init(rows: Int, dimensions: Int, classes: Int, workers: Int) throws {
    self.rows = rows
    self.dimensions = dimensions + 1
    chunk = min(classes, Self.mostClasses)
    sampleLength = paddedRowLength(rows)
    featureLength = paddedRowLength(dimensions + 1)
    usesSamples = HingeSamples.usesSamples(rows: rows, dimensions: dimensions + 1)
    features = try AlignedBuffer(count: rows * featureLength)
    transposed = try AlignedBuffer(
      count: (dimensions + 1) * (usesSamples ? sampleLength : Self.panelSamples))
    let hasGram = usesSamples || rows <= Self.mostGramRows
    gram = hasGram ? try AlignedBuffer(count: rows * sampleLength) : nil
    labels = try AlignedBuffer(count: rows)
    system = try SharedSystem(count: min(rows, dimensions + 1))
    vectors = try AlignedBuffer(
      count: chunk * (2 * system.length + 2 * sampleLength + (usesSamples ? featureLength : 0))
        + BlockedCholesky.solveScratchCount(rows: chunk) + featureLength)
    let sizeOfOne = HingeWorkspace.elementCount(
      rows: rows, dimensions: dimensions + 1, hasGram: hasGram)
    let fitting = Self.mostWorkspaceElements / sizeOfOne
    workspaces = try (0..<max(1, min(workers, classes, fitting))).map { _ in
      try HingeWorkspace(rows: rows, dimensions: dimensions + 1, hasGram: hasGram)
    }
  }

  // MARK: Memory, a row for each class of a chunk

  private var point: Vector { vectors.pointer }
  private var outputs: Vector { point + chunk * system.length }
  // Rows for the classes that are not finished.
  private var direction: Vector { outputs + chunk * sampleLength }
  private var dOutputs: Vector { direction + chunk * system.length }
  private var scratch: Vector { dOutputs + chunk * sampleLength }
  private var total: Vector {  // sum of the samples
    scratch + BlockedCholesky.solveScratchCount(rows: chunk)
  }
  private var coefficients: Vector { usesSamples ? total + featureLength : point }

  private var samples: HingeSamples {
    HingeSamples(
      rows: rows, dimensions: dimensions, features: features.pointer,
      featureLength: featureLength, gram: gram.map { UnsafePointer($0.pointer) },
      sampleLength: sampleLength, labels: labels.pointer)
  }

  // MARK: The method

  /// Fits some classes, and calls `write` for each with its coefficients and, after them, its
  /// intercept.
  func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, classes: Range<Int>,
    _ options: FitOptions, write: (_ k: Int, _ coefficients: UnsafePointer<Double>) -> Void
  ) -> FitOutcome {
    prepare(features, labels: labels, penalty: options.penalty / 2)
    var outcome = FitOutcome(iterations: 0, isConverged: true)
    for first in stride(from: classes.lowerBound, to: classes.upperBound, by: chunk) {
      let part = first..<min(first + chunk, classes.upperBound)
      let outcomes = minimize(part, options)
      writeCoefficients(part, write)
      for own in outcomes {
        outcome.iterations = max(outcome.iterations, own.iterations)
        outcome.isConverged = outcome.isConverged && own.isConverged
      }
    }
    return outcome
  }

  /// Sets up the samples and the equations that all classes share.
  private func prepare(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, penalty: Double
  ) {
    let x = self.features.pointer
    widenRows(features, rows: rows, count: dimensions - 1, length: featureLength, into: x)
    for n in 0..<rows {
      x[n * featureLength + dimensions - 1] = 1
      self.labels.pointer[n] = Int32(labels[n])
    }
    if let gram {
      multiplyRowsByEachOther(
        x, rows: rows, length: featureLength, into: gram.pointer, outputLength: sampleLength)
    }
    if usesSamples, let gram {
      transpose(
        x, rows: rows, columns: dimensions, length: featureLength, outputLength: sampleLength,
        into: transposed.pointer)
      system.matrix.update(from: gram.pointer, count: rows * sampleLength)
    } else {
      sumProductsOfFeatures()
      total.update(repeating: 0, count: featureLength)
      for n in 0..<rows {
        addScaled(x + n * featureLength, by: 1, length: featureLength, to: total)
      }
    }
    system.factor(adding: penalty)
  }

  /// system.matrix = Xᵀ X, in panels of samples.
  private func sumProductsOfFeatures() {
    system.matrix.update(repeating: 0, count: dimensions * featureLength)
    for first in stride(from: 0, to: rows, by: Self.panelSamples) {
      let count = min(Self.panelSamples, rows - first)
      let length = paddedRowLength(count)
      transposed.pointer.update(repeating: 0, count: dimensions * length)
      transpose(
        features.pointer + first * featureLength, rows: count, columns: dimensions,
        length: featureLength, outputLength: length, into: transposed.pointer)
      multiplyRowsByEachOther(
        transposed.pointer, rows: dimensions, length: length, into: system.matrix,
        outputLength: featureLength, update: .add)
    }
  }

  /// Minimises from 0; returns the outcome of each class.
  private func minimize(_ classes: Range<Int>, _ options: FitOptions) -> [FitOutcome] {
    let penalty = options.penalty / 2
    let limit = max(options.maximumIterations, 1)
    point.update(repeating: 0, count: chunk * system.length)
    outputs.update(repeating: 0, count: chunk * sampleLength)
    var outcomes = [FitOutcome](
      repeating: FitOutcome(iterations: limit, isConverged: false), count: classes.count)
    var open = Array(0..<classes.count)
    var isFinished = [Bool](repeating: false, count: classes.count)
    for iteration in 1...limit {
      if iteration == 1 {
        writeSharedDirections(classes)
      } else {
        writeDirections(open, classes, penalty)
      }
      writeOutputs(of: open.count)
      isFinished.withUnsafeMutableBufferPointer { isFinished in
        forEachClass(open, classes) { i, workspace in
          isFinished[open[i]] = advance(open[i], i, workspace, penalty, options.tolerance)
        }
      }
      for k in open where isFinished[k] {
        outcomes[k] = FitOutcome(iterations: iteration, isConverged: true)
      }
      open.removeAll { isFinished[$0] }
      if open.isEmpty { break }
    }
    return outcomes
  }

  /// Calls `body` for the number of each open class in `open`, on the threads that have a workspace; its
  /// target is that of the class.
  private func forEachClass(
    _ open: [Int], _ classes: Range<Int>, _ body: (_ i: Int, _ workspace: HingeWorkspace) -> Void
  ) {
    let samples = samples
    WorkerPool.shared.forEach(open.count, workers: workspaces.count) { i, worker in
      workspaces[worker].setTarget(class: classes.lowerBound + open[i], samples)
      body(i, workspaces[worker])
    }
  }

  /// The minimum while all samples are active, from 0.
  private func writeSharedDirections(_ classes: Range<Int>) {
    let length = system.length
    for k in 0..<classes.count {
      let right = direction + k * length
      if usesSamples {
        right.update(repeating: -1, count: rows)
      } else {
        scale(total, by: -1, length: length, into: right)
      }
    }
    for n in 0..<rows {
      let k = Int(labels.pointer[n]) - classes.lowerBound
      guard (0..<classes.count).contains(k) else { continue }
      if usesSamples {
        direction[k * length + n] = 1
      } else {
        addScaled(
          features.pointer + n * featureLength, by: 2, length: length, to: direction + k * length)
      }
    }
    system.solve(direction, rows: classes.count, scratch: scratch)
  }

  /// From the point of each open class to the minimum for its active samples.
  private func writeDirections(_ open: [Int], _ classes: Range<Int>, _ penalty: Double) {
    let (samples, length) = (samples, system.length)
    forEachClass(open, classes) { i, workspace in
      let direction = direction + i * length
      workspace.solve(
        samples, outputs: outputs + open[i] * sampleLength, penalty: penalty, into: direction)
      addScaled(point + open[i] * length, by: -1, length: length, to: direction)
    }
  }

  /// The changes of f with the directions of so many classes.
  private func writeOutputs(of count: Int) {
    let basis = usesSamples ? gram?.pointer : nil
    multiplyRows(
      direction, aRows: count, aLength: system.length, basis ?? features.pointer, bRows: rows,
      bLength: system.length, depth: system.length, into: dOutputs, outputLength: sampleLength)
  }

  /// Moves a class along its direction, the `i`-th; returns whether it has reached the minimum.
  private func advance(
    _ k: Int, _ i: Int, _ workspace: HingeWorkspace, _ penalty: Double, _ tolerance: Double
  ) -> Bool {
    let length = system.length
    let (point, direction) = (point + k * length, direction + i * length)
    let (outputs, dOutputs) = (outputs + k * sampleLength, dOutputs + i * sampleLength)
    let image = usesSamples ? dOutputs : direction
    let line = HingeLine(
      target: workspace.target, outputs: outputs, dOutputs: dOutputs, samples: rows,
      penalty: penalty, pointProduct: dotProduct(point, image, length: length),
      directionProduct: dotProduct(direction, image, length: length))
    let keepsActiveSamples = line.keepsActiveSamples
    var step = 1.0
    if !keepsActiveSamples {
      // The root of the slope bounds the distance to the minimum; see `SquaredHinge`.
      let slope = line.derivatives(at: 0).slope
      guard slope < 0, (-slope).squareRoot() > tolerance else { return true }
      step = line.minimum(slope: slope)
    }
    addScaled(direction, by: step, length: length, to: point)
    addScaled(dOutputs, by: step, length: sampleLength, to: outputs)
    return keepsActiveSamples
  }

  private func writeCoefficients(
    _ classes: Range<Int>, _ write: (_ k: Int, _ coefficients: UnsafePointer<Double>) -> Void
  ) {
    if usesSamples {
      multiplyRows(
        point, aRows: classes.count, aLength: sampleLength, transposed.pointer,
        bRows: dimensions, bLength: sampleLength, depth: sampleLength, into: coefficients,
        outputLength: featureLength)
    }
    for (i, k) in classes.enumerated() { write(k, coefficients + i * featureLength) }
  }
}
