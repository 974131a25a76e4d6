import CLibrary

/// Divergence of the student's softened distribution from the teacher's.
///
///     loss = T^2 / rows * sum_rc p_t (log p_t - log p_s),  p = softmax(logits[r] / T)
///     gradient of student[r, c] = T / rows * (p_s - p_t)
///
/// - Parameters:
///   - student, teacher: Logits, `[rows, classes]`.
///   - rows: At least 1.
///   - temperature: T, above 0.
///   - scale: Multiplies the gradient, not the loss.
///   - accumulates: Whether scale · gradient is added (`+=`) to `dStudent` or overwrites it (`=`).
///   - dStudent: `[rows, classes]`. Must not overlap the logits.
/// - Complexity: O(rows · classes), in Double and on all threads; allocates nothing.
public func distillKL(
  student: UnsafePointer<Float>, teacher: UnsafePointer<Float>, rows: Int, classes: Int,
  temperature: Float, scale: Float = 1, accumulates: Bool = false,
  dStudent: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1 && temperature > 0)
  let temperature = Double(temperature)
  let factor = Double(scale) * temperature / Double(rows)
  let loss = sumOfChunks(of: rows, size: chunkRows(rowElements: classes)) { start, end in
    withKeptExponentials { keptOfStudent in
      withKeptExponentials { keptOfTeacher in
        var losses = DoubleVector()
        for row in start..<end {
          let offset = row * classes
          let s = SoftmaxRow(
            student + offset, classes: classes, inverseTemperature: 1 / temperature,
            kept: keptOfStudent)
          let t = SoftmaxRow(
            teacher + offset, classes: classes, inverseTemperature: 1 / temperature,
            kept: keptOfTeacher)
          // log(sum of the student's / sum of the teacher's)
          let shift = log(s.sum) - log(t.sum)
          forEachLogitVector(classes) { c, lanes in
            let p = t.probabilities(at: c, lanes: lanes)
            let logRatio = t.exponents(at: c, lanes: lanes) - s.exponents(at: c, lanes: lanes)
            losses += firstLanes(lanes, of: p * (logRatio + shift))
            guard let dStudent else { return }
            let q = s.probabilities(at: c, lanes: lanes)
            (dStudent + offset).round(
              factor * (q - p), at: c, lanes: lanes, accumulates: accumulates)
          }
        }
        return losses.sum()
      }
    }
  }
  return Float(temperature * temperature * loss / Double(rows))
}

/// Euclidean distance between the logits of rotated twins, the mean over rows.
///
///     loss = sum_r ||rotated[r] - upright[r]|| / rows
///     gradient of rotated[r] = (rotated[r] - upright[r]) / (||rotated[r] - upright[r]|| * rows)
///
/// The gradient of `upright` is its negative; both are 0 where the norm is 0.
///
/// - Parameters:
///   - rotated, upright: Logits, `[rows, classes]`.
///   - rows: At least 1.
///   - scale: Multiplies the gradients, not the loss.
///   - accumulates: Whether scale · gradient is added (`+=`) or overwrites (`=`).
///   - dRotated, dUpright: `[rows, classes]`. Must not overlap the logits.
/// - Complexity: O(rows · classes), in Double and on all threads; allocates nothing.
public func twinL2(
  rotated: UnsafePointer<Float>, upright: UnsafePointer<Float>, rows: Int, classes: Int,
  scale: Float = 1, accumulates: Bool = false, dRotated: UnsafeMutablePointer<Float>?,
  dUpright: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1)
  let loss = sumOfChunks(of: rows, size: chunkRows(rowElements: classes)) { start, end in
    var loss = 0.0
    for row in start..<end {
      let (a, b) = (rotated + row * classes, upright + row * classes)
      var squares = DoubleVector()
      forEachLogitVector(classes) { c, lanes in
        let difference = difference(a, b, at: c, lanes: lanes)
        squares.addRelaxedProduct(difference, difference)
      }
      let norm = squares.sum().squareRoot()
      loss += norm
      // Not `norm > 0`: a NaN must reach the gradient, too.
      let factor = norm == 0 ? 0 : Double(scale) / (norm * Double(rows))
      forEachLogitVector(classes) { c, lanes in
        let entries = factor * difference(a, b, at: c, lanes: lanes)
        (dRotated.map { $0 + row * classes })?.round(
          entries, at: c, lanes: lanes, accumulates: accumulates)
        (dUpright.map { $0 + row * classes })?.round(
          -entries, at: c, lanes: lanes, accumulates: accumulates)
      }
    }
    return loss
  }
  return Float(loss / Double(rows))
}

@inline(__always)
private func difference(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, at offset: Int, lanes: Int
) -> DoubleVector {
  a.doubles(at: offset, lanes: lanes, padding: 0) - b.doubles(at: offset, lanes: lanes, padding: 0)
}
