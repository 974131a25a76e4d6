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
/// - Complexity: O(rows · classes), in Double and on all threads; allocates nothing.
public func softmaxCrossEntropy(
  _ logits: UnsafePointer<Float>, labels: UnsafePointer<Int64>, rows: Int, classes: Int,
  scale: Float = 1, accumulates: Bool = false, dLogits: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1)
  let factor = Double(scale) / Double(rows)
  let loss = sumOfChunks(of: rows, size: chunkRows(rowElements: classes)) { start, end in
    withKeptExponentials { kept in
      var loss = 0.0
      for row in start..<end {
        let (z, label) = (logits + row * classes, Int(labels[row]))
        let softmax = SoftmaxRow(z, classes: classes, kept: kept)
        loss += log(softmax.sum) + softmax.largest - Double(z[label])
        guard let dLogits else { continue }
        let gradient = dLogits + row * classes
        forEachLogitVector(classes) { c, lanes in
          let p = softmax.probabilities(at: c, lanes: lanes)
          gradient.round(
            factor * (p - oneHot(label, from: c)), at: c, lanes: lanes, accumulates: accumulates)
        }
      }
      return loss
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
/// - Complexity: O(rows · classes), in Double and on all threads; allocates nothing.
public func bceWithLogits(
  _ logits: UnsafePointer<Float>, labels: UnsafePointer<Int64>, rows: Int, classes: Int,
  scale: Float = 1, accumulates: Bool = false, dLogits: UnsafeMutablePointer<Float>?
) -> Float {
  precondition(rows >= 1 && classes >= 1)
  let count = rows * classes
  let factor = Double(scale) / Double(count)
  let loss = sumOfChunks(of: count) { start, end in
    var losses = DoubleVector()
    forEachLogitVector(end - start) { offset, lanes in
      let i = start + offset
      // Logits of -1000 fill up the last vector: their loss is 0.
      let z = logits.doubles(at: i, lanes: lanes, padding: -1000)
      let targets = targets(labels, classes: classes, from: i, lanes: lanes)
      let decay = exponential(z.replacing(with: -z, where: z .> 0))  // in 0...1
      let positive = z.replacing(with: 0, where: z .< 0)
      losses += positive - z * targets + logarithmOfOnePlus(decay)
      guard let dLogits else { return }
      let sigmoid = decay.replacing(with: 1, where: z .>= 0) / (1 + decay)
      dLogits.round(factor * (sigmoid - targets), at: i, lanes: lanes, accumulates: accumulates)
    }
    return losses.sum()
  }
  return Float(loss / Double(count))
}

/// 1 at the labels among the `lanes` entries of `[rows, classes]` from `start` on; 0 elsewhere.
@inline(__always)
private func targets(
  _ labels: UnsafePointer<Int64>, classes: Int, from start: Int, lanes: Int
) -> DoubleVector {
  var targets = DoubleVector()
  var row = start / classes
  while row * classes < start + lanes {
    targets += oneHot(row * classes + Int(labels[row]), from: start)
    row += 1
  }
  return targets
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
