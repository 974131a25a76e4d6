import SKDKernels
import SKDRuntime

/// The samples of a large `LinearSVC`. Their last feature is 1, and its coefficient is the intercept.
struct HingeSamples {
  let rows: Int
  /// Features of a sample, the 1 included.
  let dimensions: Int
  /// `[rows, featureLength]`.
  let features: UnsafePointer<Double>
  let featureLength: Int
  /// Products of the samples with each other, `[rows, sampleLength]`; nil if they are too many.
  let gram: UnsafePointer<Double>?
  let sampleLength: Int
  let labels: UnsafePointer<Int32>

  /// Whether the unknowns are a, with v = sum_n a_n x_n, and not v itself.
  var usesSamples: Bool { HingeSamples.usesSamples(rows: rows, dimensions: dimensions) }

  static func usesSamples(rows: Int, dimensions: Int) -> Bool { rows < dimensions }
}

/// Memory of one thread that solves the equations of one class of a `LargeHinge` at a time.
///
/// The equations of the active samples A are solved in the smaller of two forms:
///
///     (X_A X_Aᵀ + penalty) a = t_A, v = X_Aᵀ a       or       (X_Aᵀ X_A + penalty) v = X_Aᵀ t_A
final class HingeWorkspace {
  private typealias Vector = UnsafeMutablePointer<Double>

  /// Most samples that are added to the second form at once.
  private static let panelSamples = 256

  private let capacity: Int  // of the equations
  private let length: Int  // of the memory of a row of them
  private let sampleLength: Int
  private let memory: AlignedBuffer<Double>
  private var active: [Int] = []

  /// - Throws: `SKDError.outOfMemory`.
  init(rows: Int, dimensions: Int, hasGram: Bool) throws {
    capacity = min(rows, dimensions)
    length = paddedRowLength(capacity)
    sampleLength = paddedRowLength(rows)
    memory = try AlignedBuffer(
      count: Self.elementCount(rows: rows, dimensions: dimensions, hasGram: hasGram))
    active.reserveCapacity(rows)
  }

  /// Elements of the memory.
  static func elementCount(rows: Int, dimensions: Int, hasGram: Bool) -> Int {
    let capacity = min(rows, dimensions)
    let usesSamples = HingeSamples.usesSamples(rows: rows, dimensions: dimensions)
    let panel = max(
      hasGram ? 0 : capacity * paddedRowLength(dimensions),
      usesSamples ? 0 : dimensions * panelSamples)
    return paddedRowLength(rows) + (2 * capacity + 2) * paddedRowLength(capacity)
      + BlockedCholesky.inverseCount(capacity) + BlockedCholesky.scratchCount(capacity) + panel
  }

  /// t of the class at hand, `[rows]`.
  var target: UnsafeMutablePointer<Double> { memory.pointer }
  private var matrix: Vector { target + sampleLength }
  private var factors: Vector { matrix + capacity * length }
  private var solution: Vector { factors + capacity * length }
  private var scratch: Vector { solution + length }
  private var inverses: Vector { scratch + length }
  private var blockScratch: Vector { inverses + BlockedCholesky.inverseCount(capacity) }
  private var panel: Vector { blockScratch + BlockedCholesky.scratchCount(capacity) }

  /// Sets `target` to the target of a class.
  func setTarget(class k: Int, _ samples: HingeSamples) {
    for n in 0..<samples.rows { target[n] = samples.labels[n] == Int32(k) ? 1 : -1 }
  }

  /// Writes the minimum for the active samples, t f < 1, in the unknowns that `samples` uses.
  ///
  /// - Parameters:
  ///   - outputs: f, `[rows]`.
  ///   - minimum: A row of the unknowns; its padding stays zero.
  func solve(
    _ samples: HingeSamples, outputs: UnsafePointer<Double>, penalty: Double,
    into minimum: UnsafeMutablePointer<Double>
  ) {
    active.removeAll(keepingCapacity: true)
    for n in 0..<samples.rows where target[n] * outputs[n] < 1 { active.append(n) }
    let count = samples.usesSamples ? samples.rows : samples.dimensions
    minimum.update(repeating: 0, count: count)
    if active.isEmpty { return }
    if active.count <= capacity {
      solveForSamples(samples, penalty)
      for (i, n) in active.enumerated() {
        if samples.usesSamples {
          minimum[n] = solution[i]
        } else {
          addScaled(
            samples.features + n * samples.featureLength, by: solution[i],
            length: samples.featureLength, to: minimum)
        }
      }
    } else {
      solveForCoefficients(samples, penalty)
      minimum.update(from: solution, count: count)
    }
  }

  private func solveForSamples(_ samples: HingeSamples, _ penalty: Double) {
    let (count, length) = (active.count, paddedRowLength(active.count))
    if let gram = samples.gram {
      for (i, n) in active.enumerated() {
        let (row, products) = (matrix + i * length, gram + n * samples.sampleLength)
        for j in 0...i { row[j] = products[active[j]] }
      }
    } else {
      for (i, n) in active.enumerated() {
        (panel + i * samples.featureLength).update(
          from: samples.features + n * samples.featureLength, count: samples.featureLength)
      }
      multiplyRowsByEachOther(
        panel, rows: count, length: samples.featureLength, into: matrix, outputLength: length)
    }
    for i in 0..<length { solution[i] = i < count ? target[active[i]] : 0 }
    solveSystem(count: count, length: length, adding: penalty)
  }

  private func solveForCoefficients(_ samples: HingeSamples, _ penalty: Double) {
    let (count, length) = (samples.dimensions, samples.featureLength)
    matrix.update(repeating: 0, count: count * length)
    solution.update(repeating: 0, count: length)
    for first in stride(from: 0, to: active.count, by: Self.panelSamples) {
      let part = active[first..<min(first + Self.panelSamples, active.count)]
      let panelLength = paddedRowLength(part.count)
      panel.update(repeating: 0, count: count * panelLength)
      for (i, n) in part.enumerated() {
        let row = samples.features + n * length
        for d in 0..<count { panel[d * panelLength + i] = row[d] }
        addScaled(row, by: target[n], length: length, to: solution)
      }
      multiplyRowsByEachOther(
        panel, rows: count, length: panelLength, into: matrix, outputLength: length, update: .add)
    }
    solveSystem(count: count, length: length, adding: penalty)
  }

  private func solveSystem(count: Int, length: Int, adding penalty: Double) {
    for i in 0..<count { matrix[i * (length + 1)] += penalty }
    BlockedCholesky.factor(
      matrix, count: count, length: length, into: factors, inverses: inverses,
      scratch: blockScratch)
    choleskySolve(factors, count: count, length: length, solution, scratch: scratch)
  }
}
