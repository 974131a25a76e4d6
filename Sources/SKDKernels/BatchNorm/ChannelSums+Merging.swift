import SKDRuntime

/// Mean and biased variance of every channel, from the moments of groups (Chan, Golub, LeVeque
/// 1983).
///
/// - Parameters:
///   - records: Not all of them empty.
///   - input: `[rows, channels]`, whose moments these are. It is read where they overflowed, as the
///     moments of values near 1e18 do: Double has room for all float32 values.
///   - mean: `[channels]`; overwritten.
///   - variance: `[channels]`; overwritten.
public func mergeMoments(
  _ records: ChannelSumRecords, of input: UnsafePointer<Float>, rows: Int,
  mean: UnsafeMutablePointer<Float>,
  variance: UnsafeMutablePointer<Float>
) {
  forEachChannel(records) { channel in
    let merged = MergedMoments(records, channel, of: input, rows: rows)
    mean[channel] = Float(merged.mean)
    variance[channel] = finiteVariance(merged.moment / merged.count)
  }
}

/// The sums behind `mergeMoments`, in a form that adds up over the parts of a batch.
///
///     sums[c] = sum of v,  sums[channels + c] = sum of v^2
///
/// In Double the squares cost the variance fewer digits than float32 values have.
///
/// - Parameters:
///   - records, input: As for `mergeMoments`.
///   - sums: `2 * channels`; overwritten.
public func sumMoments(
  _ records: ChannelSumRecords, of input: UnsafePointer<Float>, rows: Int,
  sums: UnsafeMutablePointer<Double>
) {
  forEachChannel(records) { channel in
    let merged = MergedMoments(records, channel, of: input, rows: rows)
    sums[channel] = merged.count * merged.mean
    sums[records.channels + channel] = merged.moment + merged.count * merged.mean * merged.mean
  }
}

/// Mean and biased variance of every channel, from the sums of all parts of a batch.
///
/// - Parameters:
///   - sums: `2 * channels`, as of `sumMoments`.
///   - rows: Number of rows of all parts.
///   - mean: `[channels]`; overwritten.
///   - variance: `[channels]`; overwritten.
public func batchNormStatistics(
  ofSums sums: UnsafePointer<Double>, rows: Int, channels: Int,
  mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>
) {
  for channel in 0..<channels {
    let average = sums[channel] / Double(rows)
    let centred = sums[channels + channel] / Double(rows) - average * average
    mean[channel] = Float(average)
    // Rounding may leave a tiny negative number where all values are equal. A NaN stays.
    variance[channel] = finiteVariance(centred < 0 ? 0 : centred)
  }
}

/// Gradients of weight and bias of a batch norm, from the gradient sums of groups.
///
///     dBias = sum of g,  dWeight = sum of g * (x - mean) * inverseStd
///
/// - Parameters:
///   - inverseStd: `[channels]`, of the forward pass.
///   - dWeight: `[channels]`; overwritten.
///   - dBias: `[channels]`; overwritten.
public func mergeGradientSums(
  _ records: ChannelSumRecords, inverseStd: UnsafePointer<Float>,
  dWeight: UnsafeMutablePointer<Float>,
  dBias: UnsafeMutablePointer<Float>
) {
  forEachChannel(records) { channel in
    let (first, second) = gradientSums(records, channel)
    dBias[channel] = Float(first)
    dWeight[channel] = Float(second * Double(inverseStd[channel]))
  }
}

/// The sums behind `mergeGradientSums`, in a form that adds up over the parts of a batch.
///
///     sums[c] = sum of g,  sums[channels + c] = sum of g * (x - mean)
///
/// - Parameter sums: `2 * channels`; overwritten.
public func sumGradients(
  _ records: ChannelSumRecords, sums: UnsafeMutablePointer<Double>
) {
  forEachChannel(records) { channel in
    (sums[channel], sums[records.channels + channel]) = gradientSums(records, channel)
  }
}

/// Gradients of weight and bias of a batch norm, from the sums of all parts of a batch.
///
/// - Parameters:
///   - sums: `2 * channels`, as of `sumGradients`.
///   - inverseStd: `[channels]`, of the forward pass.
///   - dWeight: `[channels]`; overwritten.
///   - dBias: `[channels]`; overwritten.
public func batchNormGradients(
  ofSums sums: UnsafePointer<Double>, channels: Int, inverseStd: UnsafePointer<Float>,
  dWeight: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>
) {
  for channel in 0..<channels {
    dBias[channel] = Float(sums[channel])
    dWeight[channel] = Float(sums[channels + channel] * Double(inverseStd[channel]))
  }
}

/// The moments of one channel over all groups.
private struct MergedMoments {
  var count = 0.0
  var mean = 0.0
  /// Sum of the squared distances from the mean.
  var moment = 0.0

  /// - Parameter input: `[rows, channels]`; read if the sums of a group are not finite.
  init(
    _ records: ChannelSumRecords, _ channel: Int, of input: UnsafePointer<Float>, rows: Int
  ) {
    add(records, channel)
    if !mean.isFinite || !moment.isFinite {
      self = MergedMoments(of: input + channel, rows: rows, channels: records.channels)
    }
  }

  /// The moments of a column, in two passes.
  private init(of column: UnsafePointer<Float>, rows: Int, channels: Int) {
    count = Double(rows)
    for row in 0..<rows { mean += Double(column[row * channels]) }
    mean /= count
    for row in 0..<rows {
      let difference = Double(column[row * channels]) - mean
      moment += difference * difference
    }
  }

  private mutating func add(_ records: ChannelSumRecords, _ channel: Int) {
    for group in 0..<records.groups {
      let sums = records[group]
      let added = Double(sums.count[0])
      guard added > 0 else { continue }
      let average = Double(sums.first[channel]) / added
      // Rounding may leave a tiny negative number where all values are equal. A NaN stays.
      let centred = Double(sums.second[channel]) - average * average * added
      let delta = Double(sums.shift[channel]) + average - mean
      mean += delta * added / (count + added)
      moment += (centred < 0 ? 0 : centred) + delta * delta * count * added / (count + added)
      count += added
    }
  }
}

/// An overflow must not pass for a variance that flattens everything. Nor may the unbiased one
/// overflow, at most twice as large, or the running one, to which that is added.
private func finiteVariance(_ variance: Double) -> Float {
  variance <= Double(Float.greatestFiniteMagnitude) / 4 ? Float(variance) : .nan
}

private func gradientSums(_ records: ChannelSumRecords, _ channel: Int) -> (Double, Double) {
  var (first, second) = (0.0, 0.0)
  for group in 0..<records.groups {
    let sums = records[group]
    first += Double(sums.first[channel])
    second += Double(sums.second[channel])
  }
  return (first, second)
}

/// Calls `body` for every channel, on all threads if there are many groups to merge.
private func forEachChannel(_ records: ChannelSumRecords, _ body: (_ channel: Int) -> Void) {
  let size = max(16, chunkElements / (records.groups + 1))
  forEachChunk(of: records.channels, size: size) { start, end in
    for channel in start..<end { body(channel) }
  }
}
