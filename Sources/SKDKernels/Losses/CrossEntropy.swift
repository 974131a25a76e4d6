import CLibrary

/// Softmax cross-entropy, the mean over rows.
///
///     loss = sum_r (log sum_c exp(logits[r, c]) - logits[r, labels[r]]) / rows
///     gradient[r, c] = (softmax(logits[r])[c] - (c == labels[r] ? 1 : 0)) / rows
///
/// - Parameters:
///   - logits: `[rows, classes]`.
///   - labels: `[rows]`, in `0..<classes`.
///   - rows: At least 1.
///   - scale: Multiplies the gradient, not the loss.
///   - accumulates: Whether scale · gradient is added (`+=`) to `dLogits` or overwrites it (`=`).
///   - dLogits: `[rows, classes]`. Must not overlap `logits`.
/// - Complexity: O(rows · classes), in Double; allocates nothing.
public func softmaxCrossEntropy(
  _ logits: UnsafePointer<Float>, labels: UnsafePointer<Int64>, rows: Int, classes: Int,
  scale: Float = 1, accumulates: Bool = false, dLogits: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1)
  let factor = Double(scale) / Double(rows)
  var loss = 0.0
  for row in 0..<rows {
    let (z, label) = (logits + row * classes, Int(labels[row]))
    var maximum = z[0]
    for c in 0..<classes where z[c] > maximum { maximum = z[c] }
    var sum = 0.0
    for c in 0..<classes { sum += exp(Double(z[c]) - Double(maximum)) }
    loss += log(sum) + Double(maximum) - Double(z[label])
    guard let dLogits else { continue }
    let gradient = dLogits + row * classes
    for c in 0..<classes {
      let probability = exp(Double(z[c]) - Double(maximum)) / sum
      let entry = Float(factor * (probability - (c == label ? 1 : 0)))
      gradient[c] = accumulates ? gradient[c] + entry : entry
    }
  }
  return Float(loss / Double(rows))
}

/// Sigmoid cross-entropy of every entry against one-hot labels, the mean over all entries.
///
///     loss = sum_rc (max(z, 0) - z t + log(1 + exp(-|z|))) / (rows * classes)
///     gradient[r, c] = (sigmoid(z) - t) / (rows * classes),  t = (c == labels[r] ? 1 : 0)
///
/// - Parameters:
///   - logits: `[rows, classes]`: the z.
///   - labels: `[rows]`, in `0..<classes`.
///   - rows: At least 1.
///   - scale: Multiplies the gradient, not the loss.
///   - accumulates: Whether scale · gradient is added (`+=`) to `dLogits` or overwrites it (`=`).
///   - dLogits: `[rows, classes]`. Must not overlap `logits`.
/// - Complexity: O(rows · classes), in Double; allocates nothing.
public func bceWithLogits(
  _ logits: UnsafePointer<Float>, labels: UnsafePointer<Int64>, rows: Int, classes: Int,
  scale: Float = 1, accumulates: Bool = false, dLogits: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1)
  let count = rows * classes
  let factor = Double(scale) / Double(count)
  var loss = 0.0
  for i in 0..<count {
    let (z, target) = (Double(logits[i]), labels[i / classes] == i % classes ? 1.0 : 0.0)
    let decay = exp(-abs(z))  // in 0...1: never overflows
    loss += max(z, 0) - z * target + log1p(decay)
    guard let dLogits else { continue }
    let sigmoid = (z >= 0 ? 1 : decay) / (1 + decay)
    let entry = Float(factor * (sigmoid - target))
    dLogits[i] = accumulates ? dLogits[i] + entry : entry
  }
  return Float(loss / Double(count))
}

/// Number of rows whose largest logit, the first one of equals, is at their label.
///
/// - Parameters:
///   - logits: `[rows, classes]`.
///   - labels: `[rows]`.
/// - Complexity: O(rows · classes); allocates nothing.
public func correctPredictions(
  _ logits: UnsafePointer<Float>, labels: UnsafePointer<Int64>, rows: Int, classes: Int
) -> Int {
  var correct = 0
  for row in 0..<rows {
    let z = logits + row * classes
    var best = 0
    for c in 0..<classes where z[c] > z[best] { best = c }
    if labels[row] == best { correct += 1 }
  }
  return correct
}
