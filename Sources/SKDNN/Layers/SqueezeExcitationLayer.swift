import SKDKernels
import SKDRuntime

/// A gate for each channel, computed from the channel means (Hu et al., arXiv:1709.01507).
final class SqueezeExcitationLayer {
  private let hidden: Int
  private let weight1: StateEntry
  private let bias1: StateEntry
  private let weight2: StateEntry
  private let bias2: StateEntry
  private let strides: (LinearStrides, LinearStrides)
  private var input: Tensor?
  private var saved: Tensor?

  /// The hidden layer has a quarter of the channels.
  init(_ name: String, in store: ParameterStore, channels: Int) {
    hidden = max(channels / 4, 1)
    func uniform(_ fanIn: Int) -> Initializer { .uniform(bound: 1 / Float(fanIn).squareRoot()) }
    weight1 = store.linearWeight(
      "\(name).fc.0.weight", inputs: channels, outputs: hidden, initializer: uniform(channels))
    bias1 = store.vector("\(name).fc.0.bias", count: hidden, initializer: uniform(channels))
    weight2 = store.linearWeight(
      "\(name).fc.2.weight", inputs: hidden, outputs: channels, initializer: uniform(hidden))
    bias2 = store.vector("\(name).fc.2.bias", count: channels, initializer: uniform(hidden))
    strides = (LinearStrides(output: 1, input: hidden), LinearStrides(output: 1, input: channels))
  }

  private var weights: SqueezeExcitationWeights {
    SqueezeExcitationWeights(
      hidden: hidden, weight1: weight1.values, weight1Strides: strides.0, bias1: bias1.values,
      weight2: weight2.values, weight2Strides: strides.1, bias2: bias2.values)
  }

  func forward(_ input: Tensor, _ pool: BufferPool) throws -> Tensor {
    let (output, saved) = try gated(input, pool)
    (self.input, self.saved) = (input, saved)
    return output
  }

  func evaluate(_ input: Tensor, _ pool: BufferPool) throws -> Tensor {
    try gated(input, pool).output
  }

  private func gated(_ input: Tensor, _ pool: BufferPool) throws -> (
    output: Tensor, saved: Tensor
  ) {
    let saved = try pool.scratch(
      squeezeExcitationScratchCount(shape: input.shape, hidden: hidden))
    let output = try pool.tensor(input.shape)
    pool.compute {
      squeezeExcitationForward(
        input.pointer, shape: input.shape, weights: weights, saved: saved.pointer,
        output: output.pointer)
    }
    return (output, saved)
  }

  /// The gradient of the input.
  func backward(_ dOutput: Tensor, _ pool: BufferPool) throws -> Tensor {
    guard let input, let saved else { preconditionFailure("backward before forward") }
    (self.input, self.saved) = (nil, nil)
    let dInput = try pool.tensor(input.shape)
    let scratch = try pool.scratch(
      squeezeExcitationScratchCount(shape: input.shape, hidden: hidden))
    pool.compute {
      squeezeExcitationBackward(
        input.pointer, dOutput.pointer, shape: input.shape, weights: weights, saved: saved.pointer,
        dInput: dInput.pointer,
        gradients: SqueezeExcitationGradients(
          dWeight1: weight1.gradient, dBias1: bias1.gradient, dWeight2: weight2.gradient,
          dBias2: bias2.gradient),
        scratch: scratch.pointer)
    }
    for entry in [weight1, bias1, weight2, bias2] { entry.hasGradient = true }
    return dInput
  }
}
