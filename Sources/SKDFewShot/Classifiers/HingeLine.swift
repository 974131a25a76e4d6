/// The objective of `SquaredHinge` along a direction from a point.
struct HingeLine {
  /// t, `samples` numbers of ±1.
  let target: UnsafePointer<Double>
  /// f at the point.
  let outputs: UnsafePointer<Double>
  /// The change of f with the direction.
  let dOutputs: UnsafePointer<Double>
  let samples: Int
  /// 1 / (2 C).
  let penalty: Double
  /// Inner product of the point and the direction.
  let pointProduct: Double
  /// Inner product of the direction with itself.
  let directionProduct: Double

  /// The samples within the margin, t f < 1.
  func activeSamples(at step: Double) -> [Int] {
    (0..<samples).filter { isActive($0, at: step) }
  }

  /// Whether the samples within the margin are the same at the end of the direction.
  var keepsActiveSamples: Bool {
    for n in 0..<samples where isActive(n, at: 0) != isActive(n, at: 1) { return false }
    return true
  }

  private func isActive(_ n: Int, at step: Double) -> Bool {
    target[n] * (outputs[n] + step * dOutputs[n]) < 1
  }

  /// First and second derivative.
  func derivatives(at step: Double) -> (slope: Double, curvature: Double) {
    var curvature = directionProduct
    var slope = pointProduct + step * curvature
    for n in 0..<samples {
      let output = outputs[n] + step * dOutputs[n]
      guard target[n] * output < 1 else { continue }
      slope += (output - target[n]) * dOutputs[n] / penalty
      curvature += dOutputs[n] * dOutputs[n] / penalty
    }
    return (slope, curvature)
  }

  /// The step at which the slope, which is piecewise linear and rises, vanishes.
  ///
  /// - Parameter initialSlope: Slope at 0, negative.
  func minimum(slope initialSlope: Double) -> Double {
    var (low, high) = (0.0, Double.infinity)
    var step = 1.0
    for _ in 0..<Self.maximumEvaluations {
      let line = derivatives(at: step)
      if line.slope.magnitude <= 1e-12 * -initialSlope { break }
      if line.slope < 0 { low = step } else { high = step }
      let newton = step - line.slope / line.curvature
      if newton > low && newton < high {
        step = newton
      } else {
        step = high < .infinity ? (low + high) / 2 : 2 * step
      }
    }
    return step
  }

  private static let maximumEvaluations = 100
}
