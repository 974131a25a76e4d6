import SKDTestSupport

@testable import SKDKernels

/// The parameters of a batch norm and its activation, as values.
struct ChannelValues: Sendable {
  var mean, inverseStd, weight, bias: [Float]
  var slope: Float = 1

  /// With weights of either sign, far enough from 0 that `source(of:)` loses no digits.
  static func general(_ name: String, channels: Int, slope: Float) -> Self {
    func spread(_ part: String) -> [Float] { values(name + part, channels) }
    return Self(
      mean: spread("mean"), inverseStd: spread("deviation").map { 1 / (1.5 + $0) },
      weight: spread("weight").map { ($0 < 0 ? -0.5 : 0.5) + $0 }, bias: spread("bias"),
      slope: slope)
  }

  /// Multiples of 1/4 and, for the factors, powers of two of either sign.
  static func exact(_ name: String, channels: Int) -> Self {
    func cycle(_ part: String, _ choices: [Float]) -> [Float] {
      randomBits(name + part, count: channels, seed: 3).map {
        choices[Int($0 % UInt64(choices.count))]
      }
    }
    return Self(
      mean: cycle("mean", [0, 0.25, -0.5]), inverseStd: cycle("deviation", [0.5, 1, 2]),
      weight: cycle("weight", [1, -1, 2, 0.5, -0.5]), bias: cycle("bias", [0, 0.5, -0.75]))
  }

  /// What becomes of `[rows, channels]` values before the activation.
  func normalized(_ values: [Float]) -> [Double] {
    let scale = zip(weight, inverseStd).map { Double($0) * Double($1) }
    return values.indices.map { i in
      let c = i % mean.count
      return Double(bias[c]) + scale[c] * (Double(values[i]) - Double(mean[c]))
    }
  }

  func activated(_ normalized: Double) -> Double {
    normalized > 0 ? normalized : Double(slope) * normalized
  }

  /// Values that the normalisation takes to `normalized`, but for rounding.
  func source(of normalized: [Float]) -> [Float] {
    let scale = zip(weight, inverseStd).map { $0 * $1 }
    return normalized.indices.map { i in
      let c = i % mean.count
      return mean[c] + (normalized[i] - bias[c]) / scale[c]
    }
  }
}

/// Such parameters in guarded memory, for a kernel; it must outlive the use of `normalization`.
struct GuardedChannelValues {
  /// Mean, inverse deviation, weight and bias.
  let buffers: [GuardedBuffer]
  private let slope: Float

  init(_ values: ChannelValues) {
    buffers = [values.mean, values.inverseStd, values.weight, values.bias].map {
      GuardedBuffer($0)
    }
    slope = values.slope
  }

  var normalization: ChannelNormalization {
    ChannelNormalization(
      mean: buffers[0].pointer, inverseStd: buffers[1].pointer, weight: buffers[2].pointer,
      bias: buffers[3].pointer, slope: slope)
  }
}
