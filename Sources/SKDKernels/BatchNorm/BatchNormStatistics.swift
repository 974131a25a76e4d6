import SKDRuntime

/// Floats of scratch memory that `batchNormStatistics` and `batchNormBackward` need.
public func batchNormScratchCount(rows: Int, channels: Int) -> Int {
  let chunk = batchNormChunkRows(channels: channels)
  return 3 * ((rows + chunk - 1) / chunk) * channels
}

/// Rows of which a partial sum is kept in float32; sums of such sums are in Double.
func batchNormChunkRows(channels: Int) -> Int { min(512, max(64, 32_768 / channels)) }

/// Mean and biased variance of every channel.
///
///     mean[c] = sum_r input[r, c] / rows
///     variance[c] = sum_r (input[r, c] - mean[c])^2 / rows
///
/// Each chunk of rows yields its mean and second moment about it; they are merged in Double, in
/// order (Chan, Golub, LeVeque 1983). A large mean therefore costs the variance no digits.
///
/// - Parameters:
///   - input: `[rows, channels]`.
///   - rows: At least 1.
///   - mean: `[channels]`; overwritten.
///   - variance: `[channels]`; overwritten.
///   - scratch: `batchNormScratchCount` floats; overwritten.
/// - Complexity: O(rows · channels), two reads of which one is cached; allocates nothing.
public func batchNormStatistics(
  _ input: UnsafePointer<Float>, rows: Int, channels: Int, mean: UnsafeMutablePointer<Float>,
  variance: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  precondition(rows >= 1 && channels >= 1)
  let chunk = batchNormChunkRows(channels: channels)
  forEachChunk(of: rows, size: chunk) { start, end in
    measureChunk(
      input + start * channels, rows: end - start, channels: channels,
      partial: scratch + 3 * (start / chunk) * channels)
  }
  forEachChannelGroup(rows: rows, channels: channels) { channel in
    var (count, total, moment) = (0.0, 0.0, 0.0)
    for start in stride(from: 0, to: rows, by: chunk) {
      let partial = scratch + (3 * (start / chunk) * channels + channel)
      let added = Double(min(chunk, rows - start))
      let delta = Double(partial[0]) - total
      total += delta * added / (count + added)
      moment += Double(partial[channels]) + delta * delta * count * added / (count + added)
      count += added
    }
    mean[channel] = Float(total)
    variance[channel] = Float(moment / count)
  }
}

/// Mean, centred second moment and work space of a few rows, `[3, channels]`, in two passes; the
/// second also corrects the rounding of the first: with d = x - mean,
/// moment = sum(d^2) - sum(d)^2 / rows, then mean += sum(d) / rows.
private func measureChunk(
  _ input: UnsafePointer<Float>, rows: Int, channels: Int, partial: UnsafeMutablePointer<Float>
) {
  let (mean, moment, deviation) = (partial, partial + channels, partial + 2 * channels)
  let scale = SIMD16<Float>(repeating: 1 / Float(rows))
  partial.update(repeating: 0, count: 3 * channels)
  for row in 0..<rows {
    let x = input + row &* channels
    forEachVector(channels) { c, lanes in
      let sum = mean.vector(at: c, lanes: lanes) + x.vector(at: c, lanes: lanes)
      mean.store(sum, at: c, lanes: lanes)
    }
  }
  forEachVector(channels) { c, lanes in
    mean.store(mean.vector(at: c, lanes: lanes) * scale, at: c, lanes: lanes)
  }
  for row in 0..<rows {
    let x = input + row &* channels
    forEachVector(channels) { c, lanes in
      let d = x.vector(at: c, lanes: lanes) - mean.vector(at: c, lanes: lanes)
      deviation.store(deviation.vector(at: c, lanes: lanes) + d, at: c, lanes: lanes)
      let sum = moment.vector(at: c, lanes: lanes).addingRelaxedProduct(d, d)
      moment.store(sum, at: c, lanes: lanes)
    }
  }
  forEachVector(channels) { c, lanes in
    let sum = deviation.vector(at: c, lanes: lanes)
    // Of equal values, rounding may leave a tiny negative number. A NaN stays.
    let centred = moment.vector(at: c, lanes: lanes) - sum * sum * scale
    moment.store(centred.replacing(with: 0, where: centred .< 0), at: c, lanes: lanes)
    let corrected = mean.vector(at: c, lanes: lanes).addingRelaxedProduct(sum, scale)
    mean.store(corrected, at: c, lanes: lanes)
  }
}

/// Calls `body` for every channel, on all threads if there are many chunks to merge.
func forEachChannelGroup(rows: Int, channels: Int, _ body: (_ channel: Int) -> Void) {
  let chunks = rows / batchNormChunkRows(channels: channels) + 1
  forEachChunk(of: channels, size: max(16, chunkElements / chunks)) { start, end in
    for channel in start..<end { body(channel) }
  }
}

/// Moves running statistics towards those of a batch; the variance is made unbiased.
///
///     running = (1 - momentum) * running + momentum * batch
///
/// - Parameters:
///   - mean: Of the batch, `[channels]`.
///   - variance: Of the batch, biased, `[channels]`.
///   - rows: Over which it was taken; at least 2.
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
