import SKDRuntime

/// Derivatives of softmax cross-entropies along a line, and how spread out the distributions are.
public struct SoftmaxDerivatives: Sendable {
  public var slope = 0.0
  public var curvature = 0.0
  /// sum_n (1 - sum_k p[k, n]²): 0 if every distribution has one certain class.
  public var spread = 0.0

  public init() {}
}

/// The same as `softmaxAlongLine`, for many samples and classes: in stripes of samples, on all threads.
///
/// - Parameters:
///   - scratch: `5 * length` elements.
/// - Returns: Also the spread; see `softmaxAlongLine` for the rest.
public func softmaxAlongLineInStripes(
  logits: UnsafePointer<Double>, intercepts: UnsafePointer<Double>,
  dLogits: UnsafePointer<Double>, dIntercepts: UnsafePointer<Double>, at t: Double,
  labels: UnsafePointer<Int32>, samples: Int, classes: Int, length: Int,
  residual: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>
) -> SoftmaxDerivatives {
  forEachStripe(of: length, classes: classes) { first, width in
    let (maximum, sum) = (scratch + first, scratch + (length + first))
    let (moment, square) = (scratch + (2 * length + first), scratch + (3 * length + first))
    let sumOfSquares = scratch + (4 * length + first)
    maximum.update(repeating: -.infinity, count: width)
    for row in 1..<5 { (scratch + (row * length + first)).update(repeating: 0, count: width) }
    for k in 0..<classes {
      let offset = k * length + first
      let (row, dRow, z) = (logits + offset, dLogits + offset, residual + offset)
      let shift = DoubleVector(repeating: intercepts[k] + t * dIntercepts[k])
      for i in stride(from: 0, to: width, by: paddedRowUnit) {
        let value = (vector(row + i) + shift).addingRelaxedProduct(
          vector(dRow + i), DoubleVector(repeating: t))
        store(value, at: z + i)
        // A NaN is taken, and makes all of its distribution NaN.
        let largest = vector(maximum + i)
        store(value.replacing(with: largest, where: value .< largest), at: maximum + i)
      }
    }
    for k in 0..<classes {
      let offset = k * length + first
      let (dRow, z) = (dLogits + offset, residual + offset)
      let shift = DoubleVector(repeating: dIntercepts[k])
      for i in stride(from: 0, to: width, by: paddedRowUnit) {
        let p = exponential(vector(z + i) - vector(maximum + i))
        let dz = vector(dRow + i) + shift
        store(p, at: z + i)
        store(vector(sum + i) + p, at: sum + i)
        store(vector(moment + i).addingRelaxedProduct(p, dz), at: moment + i)
        store(vector(square + i).addingRelaxedProduct(p * dz, dz), at: square + i)
      }
    }
    for i in stride(from: 0, to: width, by: paddedRowUnit) {
      store(1 / vector(sum + i), at: sum + i)
    }
    for k in 0..<classes {
      let p = residual + (k * length + first)
      for i in stride(from: 0, to: width, by: paddedRowUnit) {
        let value = vector(p + i) * vector(sum + i)
        store(value, at: p + i)
        store(vector(sumOfSquares + i).addingRelaxedProduct(value, value), at: sumOfSquares + i)
      }
      for i in max(samples - first, 0)..<max(width, samples - first) { p[i] = 0 }
    }
    for n in first..<min(first + width, samples) { residual[Int(labels[n]) * length + n] -= 1 }
  }
  var line = SoftmaxDerivatives()
  for n in 0..<samples {
    let inverse = scratch[length + n]
    let (mean, square) = (scratch[2 * length + n] * inverse, scratch[3 * length + n] * inverse)
    let label = Int(labels[n])
    line.slope += mean - (dLogits[label * length + n] + dIntercepts[label])
    line.curvature += square - mean * mean
    line.spread += 1 - scratch[4 * length + n]
  }
  return line
}

/// The Hessian of the cross-entropies with respect to the logits, times a direction of logits:
///
///     p              = residual with 1 added at the labels
///     z[k, n]        = dLogits[k, n] + dIntercepts[k]
///     product[k, n]  = p[k, n] (z[k, n] - sum_k p[k, n] z[k, n])
///
/// Writes (`=`) `product`, whose padding becomes 0; operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - residual: `[classes, length]`, of `softmaxAlongLineInStripes`; it is changed and restored.
///   - scratch: `2 * length` elements.
/// - Returns: `sum_kn z product`.
public func softmaxHessianProduct(
  residual: UnsafeMutablePointer<Double>, labels: UnsafePointer<Int32>,
  dLogits: UnsafePointer<Double>, dIntercepts: UnsafePointer<Double>, samples: Int, classes: Int,
  length: Int, product: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>
) -> Double {
  forEachStripe(of: length, classes: classes) { first, width in
    let (mean, energy) = (scratch + first, scratch + (length + first))
    let stripe = first..<min(first + width, samples)
    mean.update(repeating: 0, count: width)
    energy.update(repeating: 0, count: width)
    // Exact, and so is the way back: a residual at a label is a probability minus 1.
    for n in stripe { residual[Int(labels[n]) * length + n] += 1 }
    for k in 0..<classes {
      let (p, dRow) = (residual + (k * length + first), dLogits + (k * length + first))
      let shift = DoubleVector(repeating: dIntercepts[k])
      for i in stride(from: 0, to: width, by: paddedRowUnit) {
        let z = vector(dRow + i) + shift
        store(vector(mean + i).addingRelaxedProduct(vector(p + i), z), at: mean + i)
      }
    }
    for k in 0..<classes {
      let offset = k * length + first
      let (p, dRow, output) = (residual + offset, dLogits + offset, product + offset)
      let shift = DoubleVector(repeating: dIntercepts[k])
      for i in stride(from: 0, to: width, by: paddedRowUnit) {
        let z = vector(dRow + i) + shift
        let value = vector(p + i) * (z - vector(mean + i))
        store(value, at: output + i)
        store(vector(energy + i).addingRelaxedProduct(value, z), at: energy + i)
      }
    }
    for n in stripe { residual[Int(labels[n]) * length + n] -= 1 }
  }
  return (0..<samples).reduce(0) { $0 + scratch[length + $1] }
}

/// Calls `body` for stripes of columns of `[classes, length]`, on all threads; their widths are multiples
/// of `paddedRowUnit`, and a stripe of three such matrices stays in the second cache.
private func forEachStripe(
  of length: Int, classes: Int, _ body: (_ first: Int, _ width: Int) -> Void
) {
  let width = min(max(paddedRowLength(chunkElements / classes), 32), 512)
  forEachChunk(of: length, size: width) { start, end in body(start, end - start) }
}
