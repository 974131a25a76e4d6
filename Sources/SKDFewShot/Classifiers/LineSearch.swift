/// A step along a line at which the slope of a convex function is at most a tenth of that at 0, found by
/// Newton's method in a shrinking bracket; nil if rounding hides it.
///
/// - Parameters:
///   - initialSlope: Slope at 0, negative and finite.
///   - start: The first step that is tried.
///   - derivatives: First and second derivative at a step. The last call is that of the result.
func stepOfSmallSlope(
  initialSlope: Double, start: Double, _ derivatives: (Double) -> (slope: Double, curvature: Double)
) -> Double? {
  let maximumEvaluations = 60
  var (low, high, step) = (0.0, Double.infinity, start)
  for _ in 0..<maximumEvaluations {
    let (slope, curvature) = derivatives(step)
    if slope.magnitude <= -0.1 * initialSlope { return step }
    if slope < 0 { low = step } else { high = step }
    let newton = step - slope / curvature
    if newton > low && newton < high {
      step = newton
    } else {
      step = high < .infinity ? (low + high) / 2 : 2 * step
    }
  }
  return nil
}
