import SKDRuntime

/// Batch norm and LeakyReLU of the values of a channel:
///
///     leaky(bias + weight * inverseStd * (x - mean)),  leaky(v) = v > 0 ? v : slope * v
///
/// Everything that normalises computes it here, so that forward and backward passes agree on the
/// sign to the bit.
public struct ChannelNormalization {
  /// One value per channel each.
  public let mean, inverseStd, weight, bias: UnsafePointer<Float>
  /// Slope of the activation; 1 for none.
  public let slope: Float

  public init(
    mean: UnsafePointer<Float>, inverseStd: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, slope: Float
  ) {
    (self.mean, self.inverseStd) = (mean, inverseStd)
    (self.weight, self.bias, self.slope) = (weight, bias, slope)
  }

  /// The part of one vector of channels.
  @inline(__always)
  func lanes(at channel: Int, lanes: Int = Vector.scalarCount) -> Lanes {
    Lanes(
      mean: mean.vector(at: channel, lanes: lanes),
      scale: weight.vector(at: channel, lanes: lanes)
        * inverseStd.vector(at: channel, lanes: lanes),
      bias: bias.vector(at: channel, lanes: lanes), slope: slope)
  }

  struct Lanes {
    let mean, scale, bias: Vector
    let slope: Float

    /// Changes nothing.
    @inline(__always)
    static var identity: Lanes {
      Lanes(
        mean: Vector(repeating: 0), scale: Vector(repeating: 1), bias: Vector(repeating: 0),
        slope: 1)
    }

    /// Before the activation.
    @inline(__always)
    func normalized(_ x: Vector) -> Vector { bias.addingRelaxedProduct(scale, x - mean) }

    @inline(__always)
    func activated(_ x: Vector) -> Vector {
      let value = normalized(x)
      return (value * slope).replacing(with: value, where: value .> 0)
    }

    /// The gradient before the activation, from the one after it.
    @inline(__always)
    func masked(_ gradient: Vector, _ x: Vector) -> Vector {
      (gradient * slope).replacing(with: gradient, where: normalized(x) .> 0)
    }
  }
}
