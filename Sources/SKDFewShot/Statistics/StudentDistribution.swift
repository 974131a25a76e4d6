import CLibrary

/// The t that Student's distribution exceeds in magnitude with probability 5 %: its 97.5 %
/// quantile.
///
/// With `angle = atan(t / sqrt(degrees))` the probability of staying within ±t is a finite series
/// (Abramowitz and Stegun, 26.7.3 and 26.7.4). It is concave in the angle, so that Newton's method
/// from below converges without a safeguard.
///
/// - Parameter degrees: Degrees of freedom, >= 1.
/// - Complexity: O(degrees).
public func studentQuantile95(degreesOfFreedom degrees: Int) -> Double {
  precondition(degrees >= 1)
  let root = Double(degrees).squareRoot()
  var angle = atan(1.959_963 / root)  // of the normal distribution: always below
  for _ in 0..<50 {
    let (probability, density) = probabilityWithin(angle, degrees)
    let step = (0.95 - probability) / density
    angle += step
    if step <= 1e-15 * angle { break }
  }
  return root * tan(angle)
}

/// The probability of `|t| <= sqrt(degrees) tan(angle)`, and its derivative by the angle.
private func probabilityWithin(_ angle: Double, _ degrees: Int) -> (
  probability: Double, density: Double
) {
  let (sine, cosine) = (sin(angle), cos(angle))
  let isOdd = degrees % 2 == 1
  if degrees == 1 { return (2 / .pi * angle, 2 / .pi) }
  // sum of products (k - 1) / k cos², k up by two: from 3 if odd, times cos; from 2 if even
  var term = isOdd ? cosine : 1
  var sum = term
  for k in stride(from: isOdd ? 3 : 2, through: degrees - 2, by: 2) {
    term *= Double(k - 1) / Double(k) * cosine * cosine
    sum += term
  }
  let density = Double(degrees - 1) * term * cosine
  return isOdd
    ? (2 / .pi * (angle + sine * sum), 2 / .pi * density) : (sine * sum, density)
}
