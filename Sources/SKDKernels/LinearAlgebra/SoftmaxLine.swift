import CLibrary

/// Softmax cross-entropies of logits that move along a line, summed over samples.
///
///     z(t)[k, n]     = logits[k, n] + intercepts[k] + t (dLogits[k, n] + dIntercepts[k])
///     p              = softmax over k of z(t)
///     residual[k, n] = p[k, n] - (k == labels[n] ? 1 : 0)
///     slope          = d/dt   sum_n CE_n = sum residual * (dLogits + dIntercepts)
///     curvature      = d²/dt² sum_n CE_n
///
/// Writes (`=`) `residual` but not its padding; operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - logits: `[classes, length]`; likewise `dLogits` and `residual`.
///   - intercepts: `[classes]`; likewise `dIntercepts`.
///   - labels: `samples` classes.
///   - length: Padded length of a row; `>= samples`.
///   - scratch: `4 * length` elements.
public func softmaxAlongLine(
  logits: UnsafePointer<Double>, intercepts: UnsafePointer<Double>,
  dLogits: UnsafePointer<Double>, dIntercepts: UnsafePointer<Double>, at t: Double,
  labels: UnsafePointer<Int32>, samples: Int, classes: Int, length: Int,
  residual: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>
) -> (slope: Double, curvature: Double) {
  let (maximum, sum) = (scratch, scratch + length)
  let (first, second) = (scratch + 2 * length, scratch + 3 * length)  // moments of dz/dt under p
  maximum.update(repeating: -.infinity, count: samples)
  (scratch + length).update(repeating: 0, count: 3 * length)
  for k in 0..<classes {
    let (row, dRow, z) = (logits + k * length, dLogits + k * length, residual + k * length)
    let offset = intercepts[k] + t * dIntercepts[k]
    for n in 0..<samples {
      z[n] = row[n] + t * dRow[n] + offset
      maximum[n] = max(maximum[n], z[n])
    }
  }
  for k in 0..<classes {
    let (dRow, z, dOffset) = (dLogits + k * length, residual + k * length, dIntercepts[k])
    for n in 0..<samples {
      z[n] = exp(z[n] - maximum[n])
      let dz = dRow[n] + dOffset
      sum[n] += z[n]
      first[n] += z[n] * dz
      second[n] += z[n] * dz * dz
    }
  }
  var (slope, curvature) = (0.0, 0.0)
  for n in 0..<samples {
    sum[n] = 1 / sum[n]
    let (mean, square) = (first[n] * sum[n], second[n] * sum[n])
    let label = Int(labels[n])
    slope += mean - (dLogits[label * length + n] + dIntercepts[label])
    curvature += square - mean * mean
  }
  for k in 0..<classes {
    let p = residual + k * length
    for n in 0..<samples { p[n] *= sum[n] }
  }
  for n in 0..<samples { residual[Int(labels[n]) * length + n] -= 1 }
  return (slope, curvature)
}
