import SKDRuntime

/// What batch norm and LeakyReLU do to the values of a channel:
///
///     leaky(bias + weight * inverseStd * (x - mean)),  leaky(v) = v > 0 ? v : slope * v
///
/// Everything that normalises computes it here, so that forward and backward passes agree on the
/// sign to the bit.
public struct ChannelNormalization {
  /// One value per channel each.
  public let mean, inverseStd, weight, bias: UnsafePointer<Float>
  /// Of the activation; 1 for none.
  public let slope: Float

  public init(
    mean: UnsafePointer<Float>, inverseStd: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, slope: Float
  ) {
    (self.mean, self.inverseStd) = (mean, inverseStd)
    (self.weight, self.bias, self.slope) = (weight, bias, slope)
  }

  /// The part of up to 16 channels.
  @inline(__always)
  func lanes(at channel: Int, lanes: Int = 16) -> Lanes<SIMD16<Float>> {
    Lanes(
      mean: mean.vector(at: channel, lanes: lanes),
      scale: weight.vector(at: channel, lanes: lanes)
        * inverseStd.vector(at: channel, lanes: lanes),
      bias: bias.vector(at: channel, lanes: lanes), slope: slope)
  }

  /// The part of one native vector of channels.
  @inline(__always)
  func nativeLanes(at channel: Int) -> Lanes<Vector> {
    Lanes(
      mean: mean.native(at: channel),
      scale: weight.native(at: channel) * inverseStd.native(at: channel),
      bias: bias.native(at: channel), slope: slope)
  }

  struct Lanes<Values: SIMD> where Values.Scalar == Float {
    let mean, scale, bias: Values
    let slope: Float

    /// Changes nothing.
    @inline(__always)
    static var identity: Lanes {
      Lanes(
        mean: Values(repeating: 0), scale: Values(repeating: 1), bias: Values(repeating: 0),
        slope: 1)
    }

    /// Before the activation.
    @inline(__always)
    func normalized(_ x: Values) -> Values { bias.addingRelaxedProduct(scale, x - mean) }

    @inline(__always)
    func activated(_ x: Values) -> Values {
      let value = normalized(x)
      return (value * slope).replacing(with: value, where: value .> 0)
    }

    /// The gradient before the activation, from the one after it.
    @inline(__always)
    func masked(_ gradient: Values, _ x: Values) -> Values {
      (gradient * slope).replacing(with: gradient, where: normalized(x) .> 0)
    }
  }
}
