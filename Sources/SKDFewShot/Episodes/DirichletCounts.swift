import CLibrary
import SKDRuntime

/// Numbers of queries of the classes of an episode, in random proportions.
///
/// The proportions follow a symmetric Dirichlet distribution: gamma variates divided by their sum.
/// They are rounded to whole numbers by the method of largest remainders.
///
/// - Parameters:
///   - total: Sum of the counts, `>= 0`.
///   - ways: Classes, `>= 1`.
///   - concentration: Parameter of the Dirichlet distribution, in `1e-3...1e6`: near 0, one class has
///     all queries; the larger, the more equal the counts.
///   - seed, episode: Address of the random numbers.
/// - Complexity: O(ways log ways).
func dirichletCounts(total: Int, ways: Int, concentration: Double, seed: UInt64, episode: Int)
  -> [Int]
{
  // In logarithms, because small concentrations give variates below the range of Double.
  let logarithms = (0..<ways).map { way in
    logarithmOfGammaVariate(
      shape: concentration,
      CounterRandom(seed: seed, purpose: .queryProportions, step: episode, index: way))
  }
  let largest = logarithms.reduce(-.infinity) { max($0, $1) }
  let weights = logarithms.map { exp($0 - largest) }
  let sum = weights.reduce(0, +)
  return roundedToSum(total, weights.map { $0 / sum * Double(total) })
}

/// Whole numbers near to `shares`, which add up to `total`: each share is rounded down, and the ones
/// with the largest remainders are rounded up, the first of equal ones first.
func roundedToSum(_ total: Int, _ shares: [Double]) -> [Int] {
  var counts = shares.map { Int($0.rounded(.down)) }
  let missing = total - counts.reduce(0, +)
  let order = shares.indices.sorted { a, b in
    let (first, second) = (shares[a] - Double(counts[a]), shares[b] - Double(counts[b]))
    return first > second || (first == second && a < b)
  }
  for position in order.prefix(max(missing, 0)) { counts[position] += 1 }
  return counts
}

/// The logarithm of a gamma variate of unit scale, by rejection (Marsaglia and Tsang, "A simple method
/// for generating gamma variables", 2000).
///
/// A shape below 1 uses a variate of shape + 1 times `uniform^(1 / shape)`, as they suggest.
private func logarithmOfGammaVariate(shape: Double, _ random: CounterRandom) -> Double {
  let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
  let c = 1 / (9 * d).squareRoot()
  var attempt = 0
  while true {
    let words = random.words(at: attempt)
    attempt += 1
    // A normal variate by the formula of Box and Muller.
    let normal =
      (-2 * log(positiveUniform(words[0]))).squareRoot()
      * cos(2 * .pi * positiveUniform(words[1]))
    let root = 1 + c * normal
    guard root > 0 else { continue }
    let v = root * root * root
    guard log(positiveUniform(words[2])) < normal * normal / 2 + d - d * v + d * log(v) else {
      continue
    }
    let variate = log(d) + log(v)
    return shape < 1 ? variate + log(positiveUniform(words[3])) / shape : variate
  }
}

/// Maps a random word to (0, 1].
private func positiveUniform(_ word: UInt32) -> Double { (Double(word) + 1) * 0x1p-32 }
