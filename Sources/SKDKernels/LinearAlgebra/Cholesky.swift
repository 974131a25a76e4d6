/// Factors a symmetric positive definite matrix: `matrix = factor factorᵀ`, `factor` lower
/// triangular.
///
///     factor[i, j] = (matrix[i, j] - sum_{l < j} factor[i, l] factor[j, l]) / factor[j, j]
///
/// A pivot below the rounding of its diagonal entry is lifted to it, so that a singular matrix
/// is factored too, as if its diagonal were that much larger.
///
/// Writes (`=`) `factor` with zeros above the diagonal and in the padding; reads the lower triangle
/// of `matrix`. Operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - matrix: `[count, length]`, positive semidefinite but for rounding.
///   - count: Rows, `>= 0`.
///   - length: Padded length of a row; `>= count`.
///   - factor: `[count, length]`.
/// - Complexity: O(count³).
public func choleskyFactor(
  _ matrix: UnsafePointer<Double>, count: Int, length: Int,
  into factor: UnsafeMutablePointer<Double>
) {
  factor.update(repeating: 0, count: count * length)
  for i in 0..<count {
    let (row, a) = (factor + i * length, matrix + i * length)
    // The rest of a row is still zero: products over whole padded rows end where they should.
    for j in 0..<i {
      let other = factor + j * length
      let product = dotProduct(row, other, length: paddedRowLength(j))
      row[j] = (a[j] - product) / other[j]
    }
    let pivot = a[i] - dotProduct(row, row, length: paddedRowLength(i))
    let rounding = Double(count) * Double.ulpOfOne * a[i]
    row[i] = max(pivot, rounding, .leastNormalMagnitude).squareRoot()
  }
}

/// Solves `factor factorᵀ x = x'` in place, where x' is the content of `x` before the call.
///
/// - Parameters:
///   - factor: `[count, length]`, of `choleskyFactor`.
///   - x: `length` elements, the padding zero; overwritten.
///   - scratch: `length` elements.
/// - Complexity: O(count²); allocates nothing.
public func choleskySolve(
  _ factor: UnsafePointer<Double>, count: Int, length: Int, _ x: UnsafeMutablePointer<Double>,
  scratch: UnsafeMutablePointer<Double>
) {
  scratch.update(repeating: 0, count: length)
  for i in 0..<count {
    let row = factor + i * length
    scratch[i] = (x[i] - dotProduct(row, scratch, length: paddedRowLength(i))) / row[i]
  }
  for i in stride(from: count - 1, through: 0, by: -1) {
    let row = factor + i * length
    x[i] = scratch[i] / row[i]
    addScaled(row, by: -x[i], length: paddedRowLength(i), to: scratch)
  }
}
