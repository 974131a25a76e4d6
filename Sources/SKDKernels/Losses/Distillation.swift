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
/// - Complexity: O(rows · classes), in Double; allocates nothing.
public func distillKL(
  student: UnsafePointer<Float>, teacher: UnsafePointer<Float>, rows: Int, classes: Int,
  temperature: Float, scale: Float = 1, accumulates: Bool = false,
  dStudent: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1 && temperature > 0)
  let temperature = Double(temperature)
  let factor = Double(scale) * temperature / Double(rows)
  var loss = 0.0
  for row in 0..<rows {
    let (s, t) = (student + row * classes, teacher + row * classes)
    let normalizer = (
      student: logSumExp(s, classes, temperature), teacher: logSumExp(t, classes, temperature)
    )
    for c in 0..<classes {
      let logStudent = Double(s[c]) / temperature - normalizer.student
      let logTeacher = Double(t[c]) / temperature - normalizer.teacher
      let teacherProbability = exp(logTeacher)
      loss += teacherProbability * (logTeacher - logStudent)
      guard let dStudent else { continue }
      let entry = Float(factor * (exp(logStudent) - teacherProbability))
      let i = row * classes + c
      dStudent[i] = accumulates ? dStudent[i] + entry : entry
    }
  }
  return Float(temperature * temperature * loss / Double(rows))
}

/// log sum_c exp(logits[c] / temperature), without overflow.
private func logSumExp(
  _ logits: UnsafePointer<Float>, _ classes: Int, _ temperature: Double
) -> Double {
  var maximum = logits[0]
  for c in 0..<classes where logits[c] > maximum { maximum = logits[c] }
  var sum = 0.0
  for c in 0..<classes { sum += exp((Double(logits[c]) - Double(maximum)) / temperature) }
  return Double(maximum) / temperature + log(sum)
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
/// - Complexity: O(rows · classes), in Double; allocates nothing.
public func twinL2(
  rotated: UnsafePointer<Float>, upright: UnsafePointer<Float>, rows: Int, classes: Int,
  scale: Float = 1, accumulates: Bool = false, dRotated: UnsafeMutablePointer<Float>?,
  dUpright: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1)
  var loss = 0.0
  for row in 0..<rows {
    let entries = row * classes..<(row + 1) * classes
    var squares = 0.0
    for i in entries {
      let difference = Double(rotated[i]) - Double(upright[i])
      squares += difference * difference
    }
    let norm = squares.squareRoot()
    loss += norm
    // Not `norm > 0`: a NaN must reach the gradient, too.
    let factor = norm == 0 ? 0 : Double(scale) / (norm * Double(rows))
    for i in entries {
      let entry = Float(factor * (Double(rotated[i]) - Double(upright[i])))
      if let dRotated { dRotated[i] = accumulates ? dRotated[i] + entry : entry }
      if let dUpright { dUpright[i] = accumulates ? dUpright[i] - entry : -entry }
    }
  }
  return Float(loss / Double(rows))
}
