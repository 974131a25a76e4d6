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
  /// Floats of a bias, which kernels read in whole blocks of columns.
  public var paddedBiasCount: Int { wholeBlocks(outputChannels) }

  /// Whether the output has the positions of the input, as for a 1x1 kernel of stride 1.
  var isPointwise: Bool { kernelSize == 1 && stride == 1 && padding == 0 }
}

@inlinable
func ceilDivide(_ value: Int, _ divisor: Int) -> Int { (value + divisor - 1) / divisor }

/// Channels or columns rounded up to whole blocks.
func wholeBlocks(_ count: Int) -> Int { ceilDivide(count, blockWidth) * blockWidth }
