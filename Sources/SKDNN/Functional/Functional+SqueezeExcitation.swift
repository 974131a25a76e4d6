import SKDKernels
import SKDRuntime

extension Functional {
  /// output = input * sigmoid(W2 relu(W1 mean + b1) + b2).
  public static func squeezeExcitation(
    _ input: UnsafePointer<Float>, shape: ImageShape, weights: SqueezeExcitationWeights,
    output: UnsafeMutablePointer<Float>
  ) throws {
    let saved = try AlignedBuffer<Float>(
      count: squeezeExcitationScratchCount(shape: shape, hidden: weights.hidden))
    squeezeExcitationForward(
      input, shape: shape, weights: weights, saved: saved.pointer, output: output)
  }

  /// Gradients of `squeezeExcitation`, overwritten (`=`).
  public static func squeezeExcitationBackward(
    _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>, shape: ImageShape,
    weights: SqueezeExcitationWeights, dInput: UnsafeMutablePointer<Float>,
    gradients: SqueezeExcitationGradients
  ) throws {
    let count = squeezeExcitationScratchCount(shape: shape, hidden: weights.hidden)
    let saved = try AlignedBuffer<Float>(count: count)
    let scratch = try AlignedBuffer<Float>(count: count)
    // The forward pass again, for its saved values; its output is overwritten below.
    squeezeExcitationForward(
      input, shape: shape, weights: weights, saved: saved.pointer, output: dInput)
    SKDKernels.squeezeExcitationBackward(
      input, dOutput, shape: shape, weights: weights, saved: saved.pointer, dInput: dInput,
      gradients: gradients, scratch: scratch.pointer)
  }
}
