import XCTest

/// Asserts that `gradient` is the gradient of `function` at `point`, by central differences.
///
///     (f(x + step e_i) - f(x - step e_i)) / (2 step)
///
/// - Parameters:
///   - gradient: As many entries as `point`.
///   - step: Far above the rounding of float32 at `point`, far below its curvature: 1e-2 or 1e-3.
///   - tolerance: Largest error allowed, relative to the largest entry of the gradient.
///   - sampleLimit: At most so many entries, evenly spaced over all of them, are checked.
public func assertGradient(
  _ gradient: [Float], of function: ([Float]) -> Double, at point: [Float], step: Float,
  tolerance: Double = 1e-2, sampleLimit: Int = 64, _ message: @autoclosure () -> String = "",
  file: StaticString = #filePath, line: UInt = #line
) {
  let failure = gradientFailure(
    gradient, of: function, at: point, step: step, tolerance: tolerance, sampleLimit: sampleLimit)
  if let failure { XCTFail(message() + " " + failure, file: file, line: line) }
}

/// What is wrong with the gradient, or nil.
func gradientFailure(
  _ gradient: [Float], of function: ([Float]) -> Double, at point: [Float], step: Float,
  tolerance: Double, sampleLimit: Int
) -> String? {
  guard gradient.count == point.count else {
    return "\(gradient.count) gradient entries for \(point.count) values"
  }
  let scale = gradient.map { Double($0.magnitude) }.max() ?? 0
  let samples = min(sampleLimit, point.count)
  for index in (0..<samples).map({ $0 * point.count / samples }) {
    var (above, below) = (point, point)
    above[index] += step
    below[index] -= step
    let distance = Double(above[index] - below[index])  // the step taken, after rounding
    let difference = (function(above) - function(below)) / distance
    let error = (Double(gradient[index]) - difference).magnitude
    if !(error <= tolerance * scale) {
      return "gradient \(gradient[index]) at index \(index), but differences say \(difference); "
        + "largest entry \(scale), tolerance \(tolerance)"
    }
  }
  return nil
}
