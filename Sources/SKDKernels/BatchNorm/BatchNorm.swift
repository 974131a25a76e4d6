import SKDRuntime

/// Normalises every channel, scales, shifts and activates.
///
///     output = leaky(bias + weight * normalized),  normalized = (input - mean) * inverseStd
///     leaky(x) = x > 0 ? x : slope * x
///
/// - Parameters:
///   - input: `[rows, channels]`.
///   - mean, inverseStd, weight, bias: `[channels]`.
///   - slope: Of the activation; 1 for none.
///   - output: `[rows, channels]`; overwritten. May be the same memory as `input`.
/// - Complexity: O(rows · channels); allocates nothing.
public func batchNormForward(
  _ input: UnsafePointer<Float>, rows: Int, channels: Int, mean: UnsafePointer<Float>,
  inverseStd: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
  slope: Float, output: UnsafeMutablePointer<Float>
) {
  forEachChunk(of: rows, size: chunkRows(rowElements: channels)) { start, end in
    for row in start..<end {
      let (x, y) = (input + row &* channels, output + row &* channels)
      forEachVector(channels) { c, lanes in
        let parameters = ChannelParameters(
          mean: mean, inverseStd: inverseStd, weight: weight, bias: bias, at: c, lanes: lanes)
        let value = parameters.affine(parameters.normalized(x.vector(at: c, lanes: lanes)))
        let activated = (value * slope).replacing(with: value, where: value .> 0)
        y.store(activated, at: c, lanes: lanes)
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
  let chunk = batchNormChunkRows(channels: channels)
  forEachChunk(of: rows, size: chunk) { start, end in
    let sums = scratch + 2 * (start / chunk) * channels
    let products = sums + channels
    sums.update(repeating: 0, count: 2 * channels)
    for row in start..<end {
      let (x, dy) = (input + row &* channels, dOutput + row &* channels)
      forEachVector(channels) { c, lanes in
        let parameters = ChannelParameters(
          mean: mean, inverseStd: inverseStd, weight: weight, bias: bias, at: c, lanes: lanes)
        let normalized = parameters.normalized(x.vector(at: c, lanes: lanes))
        let g = parameters.masked(
          dy.vector(at: c, lanes: lanes), normalized: normalized, slope: slope)
        sums.store(sums.vector(at: c, lanes: lanes) + g, at: c, lanes: lanes)
        let product = products.vector(at: c, lanes: lanes).addingRelaxedProduct(g, normalized)
        products.store(product, at: c, lanes: lanes)
      }
    }
  }
  forEachChannelGroup(rows: rows, channels: channels) { channel in
    var (sum, product) = (0.0, 0.0)
    for start in stride(from: 0, to: rows, by: chunk) {
      let partial = scratch + (2 * (start / chunk) * channels + channel)
      sum += Double(partial[0])
      product += Double(partial[channels])
    }
    dBias[channel] = Float(sum)
    dWeight[channel] = Float(product)
  }
  guard let dInput else { return }
  let share = usesBatchStatistics ? 1 / Float(rows) : 0
  forEachChunk(of: rows, size: chunkRows(rowElements: channels)) { start, end in
    for row in start..<end {
      let offset = row &* channels
      forEachVector(channels) { c, lanes in
        let parameters = ChannelParameters(
          mean: mean, inverseStd: inverseStd, weight: weight, bias: bias, at: c, lanes: lanes)
        let normalized = parameters.normalized(input.vector(at: offset &+ c, lanes: lanes))
        let g = parameters.masked(
          dOutput.vector(at: offset &+ c, lanes: lanes), normalized: normalized, slope: slope)
        let common = dBias.vector(at: c, lanes: lanes)
          .addingRelaxedProduct(normalized, dWeight.vector(at: c, lanes: lanes))
        let gradient = (g - common * share) * parameters.weight * parameters.inverseStd
        dInput.store(gradient, at: offset &+ c, lanes: lanes)
      }
    }
  }
}

/// What the forward pass knows of 16 channels.
private struct ChannelParameters {
  let mean, inverseStd, weight, bias: SIMD16<Float>

  @inline(__always)
  init(
    mean: UnsafePointer<Float>, inverseStd: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, at channel: Int, lanes: Int
  ) {
    self.mean = mean.vector(at: channel, lanes: lanes)
    self.inverseStd = inverseStd.vector(at: channel, lanes: lanes)
    self.weight = weight.vector(at: channel, lanes: lanes)
    self.bias = bias.vector(at: channel, lanes: lanes)
  }

  @inline(__always)
  func normalized(_ input: SIMD16<Float>) -> SIMD16<Float> { (input - mean) * inverseStd }

  /// What is activated. Both passes compute it here, so they agree on its sign to the bit.
  @inline(__always)
  func affine(_ normalized: SIMD16<Float>) -> SIMD16<Float> {
    bias.addingRelaxedProduct(weight, normalized)
  }

  /// The gradient before the activation.
  @inline(__always)
  func masked(
    _ dOutput: SIMD16<Float>, normalized: SIMD16<Float>, slope: Float
  ) -> SIMD16<Float> {
    (dOutput * slope).replacing(with: dOutput, where: affine(normalized) .> 0)
  }
}
