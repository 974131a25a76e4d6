/// Distances in memory, in elements, between neighbours of a linear layer's weights.
public struct LinearStrides: Equatable, Sendable {
  /// Between the weights of neighbouring outputs.
  public var output: Int
  /// Between the weights of neighbouring inputs.
  public var input: Int

  public init(output: Int, input: Int) {
    self.output = output
    self.input = input
  }

  /// Distances for the layer with inputs and outputs exchanged.
  var transposed: LinearStrides { LinearStrides(output: input, input: output) }
}

/// The parameters of squeeze and excitation: two linear layers with a bottleneck of `hidden` units.
public struct SqueezeExcitationWeights {
  public var hidden: Int
  /// `hidden` outputs from `channels` inputs, anywhere in memory.
  public var weight1: UnsafePointer<Float>
  public var weight1Strides: LinearStrides
  /// `[hidden]`.
  public var bias1: UnsafePointer<Float>
  /// `channels` outputs from `hidden` inputs, anywhere in memory.
  public var weight2: UnsafePointer<Float>
  public var weight2Strides: LinearStrides
  /// `[channels]`.
  public var bias2: UnsafePointer<Float>

  public init(
    hidden: Int, weight1: UnsafePointer<Float>, weight1Strides: LinearStrides,
    bias1: UnsafePointer<Float>, weight2: UnsafePointer<Float>, weight2Strides: LinearStrides,
    bias2: UnsafePointer<Float>
  ) {
    self.hidden = hidden
    self.weight1 = weight1
    self.weight1Strides = weight1Strides
    self.bias1 = bias1
    self.weight2 = weight2
    self.weight2Strides = weight2Strides
    self.bias2 = bias2
  }
}

/// Destinations of the gradients of squeeze and excitation, with the strides of the weights.
public struct SqueezeExcitationGradients {
  public var dWeight1: UnsafeMutablePointer<Float>
  public var dBias1: UnsafeMutablePointer<Float>
  public var dWeight2: UnsafeMutablePointer<Float>
  public var dBias2: UnsafeMutablePointer<Float>

  public init(
    dWeight1: UnsafeMutablePointer<Float>, dBias1: UnsafeMutablePointer<Float>,
    dWeight2: UnsafeMutablePointer<Float>, dBias2: UnsafeMutablePointer<Float>
  ) {
    self.dWeight1 = dWeight1
    self.dBias1 = dBias1
    self.dWeight2 = dWeight2
    self.dBias2 = dBias2
  }
}
