import SKDKernels
import SKDRuntime

/// Minimises `||v||² / 2 + C sum_n max(0, 1 - t_n f_n)²`, `f_n = v · x_n`, `t_n = ±1`, by Newton's
/// method with an exact line search (Keerthi and DeCoste, "A modified finite Newton method for fast
/// solution of large scale linear SVMs", JMLR 6, 2005).
///
/// Where the samples with t f < 1 are known, the objective is a ridge regression of these samples
/// with penalty 1 / (2 C), and its minimum the solution of linear equations. Each iteration solves
/// the equations of the current samples. When they stay the same, it has found the minimum; there
/// is only a finite number of sets, and each iteration descends.
final class SquaredHinge {
  typealias Vector = UnsafeMutablePointer<Double>

  /// Unknowns of the equations; they decide the content of `basis`.
  enum Unknowns {
    /// a, where v = sum_n a_n x_n. The basis is the Gram matrix `[samples, sampleLength]`.
    case samples
    /// v, of so many entries. The basis is the samples, transposed: `[count, sampleLength]`.
    case coefficients(Int)
  }

  private let samples: Int
  private let count: Int  // of unknowns
  private let isGram: Bool
  private let sampleLength: Int
  private let length: Int  // of the unknowns, padded
  private let system: SymmetricSystem
  private let memory: AlignedBuffer<Double>
  private var active: [Int] = []  // samples with t f < 1

  /// - Parameter samples: `>= 1`.
  /// - Throws: `SKDError.outOfMemory`.
  init(samples: Int, unknowns: Unknowns) throws {
    self.samples = samples
    switch unknowns {
    case .samples: (count, isGram) = (samples, true)
    case .coefficients(let count): (self.count, isGram) = (count, false)
    }
    sampleLength = paddedRowLength(samples)
    system = try SymmetricSystem(count: count)
    length = system.length
    let bases = (isGram ? 1 : 2) * count * sampleLength
    memory = try AlignedBuffer(count: bases + 2 * length + 3 * sampleLength)
  }

  // MARK: Memory

  /// To be filled by the caller, but for its zero padding; see `Unknowns`.
  var basis: Vector { memory.pointer }
  /// Result of the last call.
  var point: Vector { memory.pointer + (isGram ? 1 : 2) * count * sampleLength }

  private var masked: Vector { basis + count * sampleLength }  // basis of the active samples
  private var direction: Vector { point + length }
  private var outputs: Vector { direction + length }  // f at the point
  private var dOutputs: Vector { outputs + sampleLength }
  private var weights: Vector { dOutputs + sampleLength }  // t of active samples, else 0

  // MARK: The method

  /// Minimises from v = 0.
  ///
  /// - Parameter target: t, `samples` numbers of ±1.
  /// - Returns: At least one iteration.
  func minimize(target: UnsafePointer<Double>, _ options: FitOptions) -> FitOutcome {
    let penalty = 1 / (2 * options.inverseRegularization)
    point.update(repeating: 0, count: length)
    outputs.update(repeating: 0, count: sampleLength)
    active = Array(0..<samples)
    let limit = max(options.maximumIterations, 1)
    for iteration in 1...limit {
      solve(target, penalty)
      let line = line(target, penalty)
      let slope = line.derivatives(at: 0).slope
      let next = line.activeSamples(at: 1)
      if next == active {
        move(by: 1)
        return FitOutcome(iterations: iteration, isConverged: true)
      }
      // The curvature is at least that of ||v||² / 2, so the root of the slope bounds the distance
      // to the minimum.
      guard slope < 0, (-slope).squareRoot() > options.tolerance else {
        return FitOutcome(iterations: iteration, isConverged: true)
      }
      move(by: line.minimum(slope: slope))
      active = line.activeSamples(at: 0)
    }
    return FitOutcome(iterations: limit, isConverged: false)
  }

  /// Directs to the minimum for the active samples:
  ///
  ///     (X Xᵀ + penalty) a = t, a = 0 elsewhere      or      (XᵀX + penalty) v = Xᵀ t
  private func solve(_ target: UnsafePointer<Double>, _ penalty: Double) {
    if isGram {
      let solution = system.solution
      solution.update(repeating: 0, count: length)
      for (i, n) in active.enumerated() {
        for (j, m) in active[0...i].enumerated() {
          system.matrix[i * length + j] = basis[n * sampleLength + m]
        }
        solution[i] = target[n]
      }
      system.factor(adding: penalty, count: active.count)
      system.solve(count: active.count)
      direction.update(repeating: 0, count: length)
      for (i, n) in active.enumerated() { direction[n] = solution[i] }
    } else {
      weights.update(repeating: 0, count: sampleLength)
      for n in active { weights[n] = target[n] }
      for d in 0..<count {
        for n in 0..<samples {
          masked[d * sampleLength + n] = weights[n] != 0 ? basis[d * sampleLength + n] : 0
        }
      }
      multiplyByTranspose(
        masked, aRows: count, masked, bRows: count, length: sampleLength, outputLength: length,
        into: system.matrix)
      multiplyByTranspose(
        weights, aRows: 1, masked, bRows: count, length: sampleLength, outputLength: length,
        into: system.solution)
      system.factor(adding: penalty)
      system.solve()
      direction.update(from: system.solution, count: length)
    }
    addScaled(point, by: -1, length: length, to: direction)
    combineRows(
      direction, aRows: 1, aLength: length, basis, bRows: count, length: sampleLength,
      into: dOutputs)
  }

  private func move(by step: Double) {
    addScaled(direction, by: step, length: length, to: point)
    addScaled(dOutputs, by: step, length: sampleLength, to: outputs)
  }

  private func line(_ target: UnsafePointer<Double>, _ penalty: Double) -> HingeLine {
    let image = isGram ? dOutputs : direction
    return HingeLine(
      target: target, outputs: UnsafePointer(outputs), dOutputs: UnsafePointer(dOutputs),
      samples: samples, penalty: penalty,
      pointProduct: dotProduct(point, image, length: length),
      directionProduct: dotProduct(direction, image, length: length))
  }
}
