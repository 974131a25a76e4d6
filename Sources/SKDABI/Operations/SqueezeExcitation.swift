import CSKD
import SKDKernels
import SKDNN
import SKDRuntime

@c @implementation
public func skd_squeeze_excitation_forward(
  _ input: UnsafePointer<Float>!, _ shape: UnsafePointer<skd_image_shape>!, _ hidden: Int64,
  _ weight1: UnsafePointer<Float>!, _ bias1: UnsafePointer<Float>!,
  _ weight2: UnsafePointer<Float>!, _ bias2: UnsafePointer<Float>!,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("squeeze_excitation_forward") { arguments in
    let input = try arguments.pointer(input, "input")
    let output = try arguments.pointer(output, "output")
    let shape = try arguments.shape(shape)
    let weights = try squeezeExcitationWeights(
      arguments, hidden, shape, weight1, bias1, weight2, bias2)
    try Functional.squeezeExcitation(input, shape: shape, weights: weights, output: output)
  }
}

@c @implementation
public func skd_squeeze_excitation_backward(
  _ input: UnsafePointer<Float>!, _ d_output: UnsafePointer<Float>!,
  _ shape: UnsafePointer<skd_image_shape>!, _ hidden: Int64, _ weight1: UnsafePointer<Float>!,
  _ bias1: UnsafePointer<Float>!, _ weight2: UnsafePointer<Float>!,
  _ bias2: UnsafePointer<Float>!, _ d_input: UnsafeMutablePointer<Float>!,
  _ d_weight1: UnsafeMutablePointer<Float>!, _ d_bias1: UnsafeMutablePointer<Float>!,
  _ d_weight2: UnsafeMutablePointer<Float>!, _ d_bias2: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("squeeze_excitation_backward") { arguments in
    let input = try arguments.pointer(input, "input")
    let dOutput = try arguments.pointer(d_output, "d_output")
    let dInput = try arguments.pointer(d_input, "d_input")
    let gradients = SqueezeExcitationGradients(
      dWeight1: try arguments.pointer(d_weight1, "d_weight1"),
      dBias1: try arguments.pointer(d_bias1, "d_bias1"),
      dWeight2: try arguments.pointer(d_weight2, "d_weight2"),
      dBias2: try arguments.pointer(d_bias2, "d_bias2"))
    let shape = try arguments.shape(shape)
    let weights = try squeezeExcitationWeights(
      arguments, hidden, shape, weight1, bias1, weight2, bias2)
    try Functional.squeezeExcitationBackward(
      input, dOutput, shape: shape, weights: weights, dInput: dInput, gradients: gradients)
  }
}

/// The weights of a C call, in PyTorch's order.
private func squeezeExcitationWeights(
  _ arguments: Arguments, _ hidden: Int64, _ shape: ImageShape, _ weight1: UnsafePointer<Float>?,
  _ bias1: UnsafePointer<Float>?, _ weight2: UnsafePointer<Float>?, _ bias2: UnsafePointer<Float>?
) throws -> SqueezeExcitationWeights {
  let hidden = try arguments.size(hidden, "hidden")
  _ = try arguments.count(hidden, shape.channels, of: "weight1")
  _ = try arguments.count(shape.batch, hidden, of: "batch * hidden")
  return SqueezeExcitationWeights(
    hidden: hidden, weight1: try arguments.pointer(weight1, "weight1"),
    weight1Strides: LinearStrides(output: shape.channels, input: 1),
    bias1: try arguments.pointer(bias1, "bias1"),
    weight2: try arguments.pointer(weight2, "weight2"),
    weight2Strides: LinearStrides(output: hidden, input: 1),
    bias2: try arguments.pointer(bias2, "bias2"))
}
