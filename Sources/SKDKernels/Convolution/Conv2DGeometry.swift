/// Extents of a square two-dimensional convolution.
public struct Conv2DGeometry: Equatable, Sendable {
  public var input: ImageShape
  public var outputChannels: Int
  public var kernelSize: Int
  public var stride: Int
  /// Zeros around the image, on each side.
  public var padding: Int

  public init(
    input: ImageShape, outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0
  ) {
    self.input = input
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
  }

  public var output: ImageShape {
    ImageShape(
      batch: input.batch,
      height: (input.height + 2 * padding - kernelSize) / stride + 1,
      width: (input.width + 2 * padding - kernelSize) / stride + 1,
      channels: outputChannels)
  }

  /// Products summed up in one output value.
  public var depth: Int { kernelSize * kernelSize * input.channels }
  public var weightCount: Int { depth * outputChannels }

  /// Whether the output has the positions of the input, as for a 1x1 kernel of stride 1.
  var isPointwise: Bool { kernelSize == 1 && stride == 1 && padding == 0 }
}

/// The ways to compute a convolution.
public enum Conv2DAlgorithm: Sendable {
  /// Winograd's F(4x4, 3x3): 2.25 multiplications per output and channel instead of 9.
  case winograd
  /// Patches are gathered into a matrix, a block at a time, and multiplied with the weights.
  case gemm

  /// With fewer tiles than this, transforming the weights costs more than it saves.
  private static let fewestTiles = 4

  /// Below this many products, a fifth of a millisecond's work, GEMM's smaller rounding is worth more
  /// than Winograd's speed.
  private static let fewestProducts = 1 << 24

  /// The choice for a geometry; it depends on the extents alone, so that results do not depend on
  /// the number of threads or on the machine.
  public init(for geometry: Conv2DGeometry) {
    let tiles = WinogradTiling(geometry.input).tileCount
    let products = geometry.output.rows * geometry.depth * geometry.outputChannels
    let paysOff = tiles >= Self.fewestTiles && products >= Self.fewestProducts
    self = Self.winograd.supports(geometry) && paysOff ? .winograd : .gemm
  }

  /// Whether this algorithm can compute a geometry.
  public func supports(_ geometry: Conv2DGeometry) -> Bool {
    switch self {
    case .winograd:
      return geometry.kernelSize == 3 && geometry.stride == 1 && geometry.padding == 1
        && geometry.input.channels % blockWidth == 0 && geometry.outputChannels % blockWidth == 0
    case .gemm:
      return true
    }
  }
}

@inlinable
func ceilDivide(_ value: Int, _ divisor: Int) -> Int { (value + divisor - 1) / divisor }
