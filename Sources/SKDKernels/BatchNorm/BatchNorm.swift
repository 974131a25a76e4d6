import SKDRuntime

/// Normalises every channel, scales, shifts and activates.
///
///     output = leaky(bias + weight * normalized),  normalized = (input - mean) * inverseStd
///     leaky(x) = x > 0 ? x : slope * x
///
/// - Parameters:
///   - input: `[rows, channels]`.
///   - mean, inverseStd, weight, bias: `[channels]`.
///   - slope: Slope of the activation; 1 for none.
///   - output: `[rows, channels]`; overwritten. May be the same memory as `input`.
/// - Complexity: O(rows · channels); allocates nothing.
public func batchNormForward(
  _ input: UnsafePointer<Float>, rows: Int, channels: Int, mean: UnsafePointer<Float>,
  inverseStd: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
  slope: Float, output: UnsafeMutablePointer<Float>
) {
  let normalization = ChannelNormalization(
    mean: mean, inverseStd: inverseStd, weight: weight, bias: bias, slope: slope)
  batchNormForward(input, rows: rows, channels: channels, normalization, output: output)
}

/// The same, with its parameters in one.
public func batchNormForward(
  _ input: UnsafePointer<Float>, rows: Int, channels: Int, _ normalization: ChannelNormalization,
  output: UnsafeMutablePointer<Float>
) {
  forEachChunk(of: rows, size: chunkRows(rowElements: channels)) { start, end in
    for row in start..<end {
      let offset = row &* channels
      forEachVector(channels) { c, lanes in
        let value = normalization.lanes(at: c, lanes: lanes)
          .activated(input.vector(at: offset &+ c, lanes: lanes))
        output.store(value, at: offset &+ c, lanes: lanes)
      }
    }
  }
}

/// Gradients of `batchNormForward`. With g = dOutput times the slope where the forward pass took
/// it (recomputed from `input`):
///
///     dBias[c] = sum_r g[r, c]
///     dWeight[c] = sum_r g[r, c] * normalized[r, c]
///     dInput = weight * inverseStd * (g - (dBias + normalized * dWeight) / rows)
///
/// If the statistics are not the batch's, dInput = weight * inverseStd * g.
///
/// - Parameters:
///   - input: `[rows, channels]`, of the forward pass.
///   - dOutput: `[rows, channels]`.
///   - mean, inverseStd, weight, bias: `[channels]`, of the forward pass.
///   - usesBatchStatistics: Whether `mean` and `inverseStd` are functions of `input`.
///   - dInput: `[rows, channels]`; overwritten. May be the same memory as `dOutput`.
///   - dWeight, dBias: `[channels]`; overwritten.
///   - scratch: `batchNormScratchCount` floats; overwritten.
/// - Complexity: O(rows · channels), two passes; allocates nothing.
public func batchNormBackward(
  _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>, rows: Int, channels: Int,
  mean: UnsafePointer<Float>, inverseStd: UnsafePointer<Float>, weight: UnsafePointer<Float>,
  bias: UnsafePointer<Float>, slope: Float, usesBatchStatistics: Bool,
  dInput: UnsafeMutablePointer<Float>?, dWeight: UnsafeMutablePointer<Float>,
  dBias: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
) {
  precondition(rows >= 1 && channels >= 1)
  let normalization = ChannelNormalization(
    mean: mean, inverseStd: inverseStd, weight: weight, bias: bias, slope: slope)
  let records = ChannelSumRecords(
    scratch, groups: batchNormGroups(rows: rows, channels: channels), channels: channels)
  batchNormGradientSums(input, dOutput, rows: rows, normalization, records: records)
  mergeGradientSums(records, inverseStd: inverseStd, dWeight: dWeight, dBias: dBias)
  guard let dInput else { return }
  batchNormInputGradient(
    input, dOutput, rows: rows, channels: channels, normalization, isMasked: false,
    statisticsRows: usesBatchStatistics ? rows : nil, dWeight: dWeight, dBias: dBias,
    dInput: dInput)
}

/// The first part of `batchNormBackward`: the gradient sums of groups of rows.
///
/// - Parameter records: Sums of `batchNormGroups` groups; overwritten.
public func batchNormGradientSums(
  _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>, rows: Int,
  _ normalization: ChannelNormalization, records: ChannelSumRecords
) {
  let channels = records.channels
  let size = batchNormGroupRows(channels: channels)
  forEachChunk(of: rows, size: size) { start, end in
    records[start / size].addGradient(
      dOutput + start * channels, of: input + start * channels, rows: end - start,
      channels: channels, normalization, masked: nil)
  }
}

/// The last part of `batchNormBackward`: dInput, when dWeight and dBias are known.
///
/// - Parameters:
///   - isMasked: Whether `gradient` is g already, that before the activation.
///   - statisticsRows: Over how many rows the statistics, `dWeight` and `dBias` were taken: more
///     than `rows` if these are a part of them. Nil if the statistics do not depend on the input.
public func batchNormInputGradient(
  _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, rows: Int, channels: Int,
  _ normalization: ChannelNormalization, isMasked: Bool, statisticsRows: Int?,
  dWeight: UnsafePointer<Float>, dBias: UnsafePointer<Float>, dInput: UnsafeMutablePointer<Float>
) {
  let share = statisticsRows.map { 1 / Float($0) } ?? 0
  forEachChunk(of: rows, size: chunkRows(rowElements: channels)) { start, end in
    for row in start..<end {
      let offset = row &* channels
      forEachVector(channels) { c, lanes in
        let norm = normalization.lanes(at: c, lanes: lanes)
        let x = input.vector(at: offset &+ c, lanes: lanes)
        let dOutput = gradient.vector(at: offset &+ c, lanes: lanes)
        let g = isMasked ? dOutput : norm.masked(dOutput, x)
        let perDeviation =
          dWeight.vector(at: c, lanes: lanes)
          * normalization.inverseStd.vector(at: c, lanes: lanes)
        let common = dBias.vector(at: c, lanes: lanes)
          .addingRelaxedProduct(x - norm.mean, perDeviation)
        dInput.store((g - common * share) * norm.scale, at: offset &+ c, lanes: lanes)
      }
    }
  }
}
