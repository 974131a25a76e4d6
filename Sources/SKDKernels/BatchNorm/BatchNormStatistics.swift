import SKDRuntime

/// Floats of scratch memory that `batchNormStatistics` and `batchNormBackward` need.
public func batchNormScratchCount(rows: Int, channels: Int) -> Int {
  ChannelSumRecords.count(
    groups: batchNormGroups(rows: rows, channels: channels), channels: channels)
}

/// Rows of a group; each is a chunk of work.
func batchNormGroupRows(channels: Int) -> Int { min(512, max(64, 32_768 / channels)) }

/// Groups of rows whose moments `batchNormMoments` takes.
public func batchNormGroups(rows: Int, channels: Int) -> Int {
  ceilDivide(rows, batchNormGroupRows(channels: channels))
}

/// Mean and biased variance of every channel.
///
///     mean[c] = sum_r input[r, c] / rows
///     variance[c] = sum_r (input[r, c] - mean[c])^2 / rows
///
/// - Parameters:
///   - input: `[rows, channels]`.
///   - rows: At least 1.
///   - mean: `[channels]`; overwritten.
///   - variance: `[channels]`; overwritten.
///   - scratch: `batchNormScratchCount` floats; overwritten.
/// - Complexity: O(rows · channels), one pass; allocates nothing.
public func batchNormStatistics(
  _ input: UnsafePointer<Float>, rows: Int, channels: Int, mean: UnsafeMutablePointer<Float>,
  variance: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  precondition(rows >= 1 && channels >= 1)
  let records = ChannelSumRecords(
    scratch, groups: batchNormGroups(rows: rows, channels: channels), channels: channels)
  batchNormMoments(input, rows: rows, records: records)
  mergeMoments(records, of: input, rows: rows, mean: mean, variance: variance)
}

/// The moments of groups of rows.
///
/// - Parameters:
///   - input: `[rows, channels]`.
///   - records: Moments of `batchNormGroups` groups; overwritten.
public func batchNormMoments(
  _ input: UnsafePointer<Float>, rows: Int, records: ChannelSumRecords
) {
  let channels = records.channels
  let size = batchNormGroupRows(channels: channels)
  forEachChunk(of: rows, size: size) { start, end in
    records[start / size]
      .addMoments(input + start * channels, rows: end - start, channels: channels)
  }
}

/// Moves running statistics towards the statistics of a batch; the variance is made unbiased.
///
///     running = (1 - momentum) * running + momentum * batch
///
/// - Parameters:
///   - mean: Mean of the batch, `[channels]`.
///   - variance: Biased variance of the batch, `[channels]`.
///   - rows: Number of rows behind these statistics; at least 2.
///   - runningMean: `[channels]`; updated.
///   - runningVariance: `[channels]`; updated.
public func updateRunningStatistics(
  mean: UnsafePointer<Float>, variance: UnsafePointer<Float>, rows: Int, channels: Int,
  momentum: Float, runningMean: UnsafeMutablePointer<Float>,
  runningVariance: UnsafeMutablePointer<Float>
) {
  precondition(rows >= 2)
  let unbiased = Float(Double(rows) / Double(rows - 1))
  for channel in 0..<channels {
    runningMean[channel] = (1 - momentum) * runningMean[channel] + momentum * mean[channel]
    runningVariance[channel] =
      (1 - momentum) * runningVariance[channel] + momentum * unbiased * variance[channel]
  }
}

/// inverseStd[c] = 1 / sqrt(variance[c] + eps)
///
/// - Parameters:
///   - variance: `[channels]`; at least 0.
///   - eps: Above 0.
///   - inverseStd: `[channels]`; overwritten. May be the same memory as `variance`.
public func inverseStandardDeviation(
  variance: UnsafePointer<Float>, channels: Int, eps: Float,
  inverseStd: UnsafeMutablePointer<Float>
) {
  for channel in 0..<channels {
    inverseStd[channel] = 1 / (variance[channel] + eps).squareRoot()
  }
}
