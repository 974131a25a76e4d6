/// Scales a positive matrix until every sample has mass 1 and every class an equal mass, by the
/// iteration of Sinkhorn and Knopp.
///
///     plan[k, n] = sampleFactors[n] kernel[k, n] classFactors[k]
///     sampleFactors[n] = 1 / sum_k kernel[k, n] classFactors[k]
///     classFactors[k]  = classMass / sum_n sampleFactors[n] kernel[k, n]
///
/// It ends when no sample's mass, before it is scaled, differs from the last one by more than the
/// tolerance. Masses below the smallest normal number act as it. Operands must not overlap;
/// allocates nothing.
///
/// - Parameters:
///   - kernel: `[classes, length]`, at least 0, the padding zero.
///   - length: Padded length of a row.
///   - classMass: Samples / classes for a balanced plan; positive.
///   - maximumIterations: `>= 1`.
///   - sampleFactors: `[length]`; overwritten.
///   - classFactors: `[classes]`; overwritten.
///   - scratch: `2 * length` elements.
/// - Returns: The iterations.
/// - Complexity: O(iterations · classes · length).
@discardableResult
public func balanceBySinkhorn(
  _ kernel: UnsafePointer<Double>, classes: Int, length: Int, classMass: Double,
  tolerance: Double, maximumIterations: Int, sampleFactors: UnsafeMutablePointer<Double>,
  classFactors: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>
) -> Int {
  let (sums, masses) = (scratch, scratch + length)
  masses.update(repeating: 0, count: length)
  sampleFactors.update(repeating: 1, count: length)
  classFactors.update(repeating: 1, count: classes)
  let smallest = DoubleVector(repeating: .leastNormalMagnitude)
  for iteration in 1...max(maximumIterations, 1) {
    combineRows(
      classFactors, aRows: 1, aLength: classes, kernel, bRows: classes, length: length, into: sums)
    var change = DoubleVector()
    for i in stride(from: 0, to: length, by: paddedRowUnit) {
      let sum = vector(sums + i)
      let mass = sum * vector(sampleFactors + i)
      let difference = mass - vector(masses + i)
      let magnitude = difference.replacing(with: -difference, where: difference .< 0)
      change.replace(with: magnitude, where: magnitude .> change)
      store(mass, at: masses + i)
    }
    if change.max() <= tolerance { return iteration - 1 }
    for i in stride(from: 0, to: length, by: paddedRowUnit) {
      let sum = vector(sums + i)
      store(1 / sum.replacing(with: smallest, where: sum .< smallest), at: sampleFactors + i)
    }
    for k in 0..<classes {
      let sum = dotProduct(kernel + k * length, sampleFactors, length: length)
      classFactors[k] = classMass / max(sum, .leastNormalMagnitude)
    }
  }
  return maximumIterations
}
