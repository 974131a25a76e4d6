/// Extent of the assignments of samples to classes, blocked matrices `[blocks][classes][32]` with a
/// sample in each column.
public struct AssignmentExtent: Sendable, Equatable {
  public var blocks: Int
  public var classes: Int

  public init(samples: Int, classes: Int) {
    blocks = blockCount(columns: samples)
    self.classes = classes
  }

  /// Elements of a matrix.
  public var count: Int { blocks * classes * blockWidth }
  /// Samples with the padding.
  public var columns: Int { blocks * blockWidth }
  /// Elements of the scratch memory of the kernels.
  public var scratchCount: Int { classes * LineVector.scalarCount }

  /// Calls `body` for each 16 samples, with the number of the first one and the offset of their first
  /// class; the classes are 32 elements apart.
  @inline(__always)
  func forEachLine(_ body: (_ sample: Int, _ offset: Int) -> Void) {
    for block in 0..<blocks {
      for half in 0..<blockWidth / LineVector.scalarCount {
        let column = half &* LineVector.scalarCount
        body(block &* blockWidth &+ column, block &* classes &* blockWidth &+ column)
      }
    }
  }
}

/// Assigns samples to the classes of the nearest weight vectors, softly.
///
///     z[k, n] = temperature (products[k, n] - halfSquares[k])        products = w_k · x_n
///     log p   = z - log sum_k exp z                 // so z may lack -temperature ||x_n||² / 2
///     mean[k] = sum_n sampleWeights[n] p[k, n]
///
/// Overwrites the outputs; operands must not overlap, but `probabilities` may be `products`;
/// allocates nothing.
///
/// - Parameters:
///   - products: `[blocks][classes][32]`; likewise `probabilities` and `logProbabilities`.
///   - halfSquares: `[classes]`, ||w_k||² / 2.
///   - sampleWeights: `[columns]`, zero for the padding.
///   - mean: `[classes]`.
///   - scratch: `extent.scratchCount` elements.
public func assignSoftly(
  _ products: UnsafePointer<Float>, halfSquares: UnsafePointer<Float>, temperature: Float,
  _ extent: AssignmentExtent, sampleWeights: UnsafePointer<Float>,
  probabilities: UnsafeMutablePointer<Float>, logProbabilities: UnsafeMutablePointer<Float>,
  mean: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  let classes = extent.classes
  scratch.update(repeating: 0, count: extent.scratchCount)
  let factor = LineVector(repeating: temperature)
  extent.forEachLine { sample, offset in
    var largest = LineVector(repeating: -.infinity)
    for k in 0..<classes {
      let i = offset &+ k &* blockWidth
      let z = factor * (products.line(at: i) - LineVector(repeating: halfSquares[k]))
      logProbabilities.store(z, at: i)
      largest.replace(with: z, where: z .> largest)
    }
    var sum = LineVector(repeating: 0)
    for k in 0..<classes {
      let i = offset &+ k &* blockWidth
      let z = logProbabilities.line(at: i) - largest
      let power = exponential(z)
      logProbabilities.store(z, at: i)
      probabilities.store(power, at: i)
      sum += power
    }
    let (inverse, logSum) = (1 / sum, logarithm(sum))
    let weight = sampleWeights.line(at: sample)
    for k in 0..<classes {
      let i = offset &+ k &* blockWidth
      let p = probabilities.line(at: i) * inverse
      probabilities.store(p, at: i)
      logProbabilities.store(logProbabilities.line(at: i) - logSum, at: i)
      addLine(weight * p, to: scratch, class: k)
    }
  }
  sumLines(scratch, classes: classes, into: mean)
}

extension UnsafePointer<Float> {
  /// 16 floats, whatever the registers of this instruction set.
  @inline(__always)
  func line(at offset: Int) -> LineVector { vector(at: offset, as: LineVector.self) }
}

extension UnsafeMutablePointer<Float> {
  /// 16 floats, whatever the registers of this instruction set.
  @inline(__always)
  func line(at offset: Int) -> LineVector { vector(at: offset, as: LineVector.self) }
}

/// Adds a vector to the sums of a class in the scratch memory.
@inline(__always)
func addLine(_ line: LineVector, to scratch: UnsafeMutablePointer<Float>, class k: Int) {
  let i = k &* LineVector.scalarCount
  scratch.store(scratch.line(at: i) + line, at: i)
}

/// Adds up the lanes of the sums of each class.
func sumLines(
  _ scratch: UnsafePointer<Float>, classes: Int, into sums: UnsafeMutablePointer<Float>
) {
  for k in 0..<classes {
    sums[k] = scratch.line(at: k &* LineVector.scalarCount).sum()
  }
}
