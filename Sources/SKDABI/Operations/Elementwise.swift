import CSKD
import SKDKernels
import SKDRuntime

@c @implementation
public func skd_leaky_relu_forward(
  _ input: UnsafePointer<Float>!, _ count: Int64, _ slope: Float,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("leaky_relu_forward") { arguments in
    let input = try arguments.pointer(input, "input")
    let output = try arguments.pointer(output, "output")
    let count = try arguments.elements(count)
    try arguments.finite(slope, "slope")
    leakyReLUForward(input, count: count, slope: slope, output: output)
  }
}

@c @implementation
public func skd_leaky_relu_backward(
  _ input: UnsafePointer<Float>!, _ d_output: UnsafePointer<Float>!, _ count: Int64,
  _ slope: Float, _ d_input: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("leaky_relu_backward") { arguments in
    let input = try arguments.pointer(input, "input")
    let dOutput = try arguments.pointer(d_output, "d_output")
    let dInput = try arguments.pointer(d_input, "d_input")
    let count = try arguments.elements(count)
    try arguments.finite(slope, "slope")
    leakyReLUBackward(input, dOutput, count: count, slope: slope, dInput: dInput)
  }
}

@c @implementation
public func skd_sgd_step(
  _ parameter: UnsafeMutablePointer<Float>!, _ d_parameter: UnsafePointer<Float>!,
  _ velocity: UnsafeMutablePointer<Float>!, _ count: Int64, _ learning_rate: Float,
  _ momentum: Float, _ weight_decay: Float, _ first_step: Int32
) -> skd_status {
  status("sgd_step") { arguments in
    let parameter = try arguments.pointer(parameter, "parameter")
    let gradient = try arguments.pointer(d_parameter, "d_parameter")
    let velocity = try arguments.pointer(velocity, "velocity")
    let count = try arguments.elements(count)
    try arguments.finite(learning_rate, "learning_rate")
    try arguments.finite(momentum, "momentum")
    try arguments.finite(weight_decay, "weight_decay")
    let isFirstStep = try arguments.flag(first_step, "first_step")
    sgdStep(
      parameter: parameter, gradient: gradient, velocity: velocity, count: count,
      learningRate: learning_rate, momentum: momentum, weightDecay: weight_decay,
      isFirstStep: isFirstStep)
  }
}
