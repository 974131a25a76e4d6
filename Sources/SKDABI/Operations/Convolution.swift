import CSKD
import SKDKernels
import SKDNN
import SKDRuntime

@c @implementation
public func skd_conv2d_forward(
  _ input: UnsafePointer<Float>!, _ weight: UnsafePointer<Float>!, _ bias: UnsafePointer<Float>!,
  _ shape: UnsafePointer<skd_conv2d_shape>!, _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("conv2d_forward") { arguments in
    try Functional.conv2D(
      arguments.convolution(shape), input: arguments.pointer(input, "input"),
      weight: arguments.pointer(weight, "weight"), bias: bias,
      output: arguments.pointer(output, "output"))
  }
}

@c @implementation
public func skd_conv2d_backward(
  _ input: UnsafePointer<Float>!, _ weight: UnsafePointer<Float>!,
  _ d_output: UnsafePointer<Float>!, _ shape: UnsafePointer<skd_conv2d_shape>!,
  _ d_input: UnsafeMutablePointer<Float>!, _ d_weight: UnsafeMutablePointer<Float>!,
  _ d_bias: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("conv2d_backward") { arguments in
    try Functional.conv2DBackward(
      arguments.convolution(shape), input: arguments.pointer(input, "input"),
      weight: arguments.pointer(weight, "weight"),
      dOutput: arguments.pointer(d_output, "d_output"), dInput: d_input, dWeight: d_weight,
      dBias: d_bias)
  }
}

@c @implementation
public func skd_linear_forward(
  _ input: UnsafePointer<Float>!, _ weight: UnsafePointer<Float>!, _ bias: UnsafePointer<Float>!,
  _ rows: Int64, _ input_features: Int64, _ output_features: Int64,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("linear_forward") { arguments in
    try Functional.conv2D(
      arguments.linear(rows, input_features, output_features),
      input: arguments.pointer(input, "input"), weight: arguments.pointer(weight, "weight"),
      bias: bias, output: arguments.pointer(output, "output"))
  }
}

@c @implementation
public func skd_linear_backward(
  _ input: UnsafePointer<Float>!, _ weight: UnsafePointer<Float>!,
  _ d_output: UnsafePointer<Float>!, _ rows: Int64, _ input_features: Int64,
  _ output_features: Int64, _ d_input: UnsafeMutablePointer<Float>!,
  _ d_weight: UnsafeMutablePointer<Float>!, _ d_bias: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("linear_backward") { arguments in
    try Functional.conv2DBackward(
      arguments.linear(rows, input_features, output_features),
      input: arguments.pointer(input, "input"), weight: arguments.pointer(weight, "weight"),
      dOutput: arguments.pointer(d_output, "d_output"), dInput: d_input, dWeight: d_weight,
      dBias: d_bias)
  }
}

extension Arguments {
  /// The convolution that `shape` describes; none of its tensors has more than 2^40 elements.
  func convolution(_ shape: UnsafePointer<skd_conv2d_shape>?) throws
    -> Conv2DGeometry
  {
    let shape = try pointer(shape, "shape").pointee
    let input = try self.shape(shape.input, "shape.input")
    let kernelSize = try size(shape.kernel_size, "shape.kernel_size", in: 1...11)
    let geometry = Conv2DGeometry(
      input: input, outputChannels: try size(shape.output_channels, "shape.output_channels"),
      kernelSize: kernelSize, stride: try size(shape.stride, "shape.stride", in: 1...2),
      padding: try size(shape.padding, "shape.padding", in: 0...kernelSize - 1))
    try require(
      kernelSize <= min(input.height, input.width) + 2 * geometry.padding, "shape.kernel_size",
      "be at most the image's height and width plus twice the padding",
      got: "\(kernelSize) for \(input.height) x \(input.width) with padding \(geometry.padding)")
    return try limited(geometry, weightName: "weight of shape", outputName: "output of shape")
  }

  /// A linear layer as the convolution of 1x1 images that it is.
  fileprivate func linear(_ rows: Int64, _ inputFeatures: Int64, _ outputFeatures: Int64) throws
    -> Conv2DGeometry
  {
    let (rows, inputs) = try matrix(rows, inputFeatures, columnsName: "input_features")
    let outputs = try size(outputFeatures, "output_features")
    return try limited(
      Conv2DGeometry(
        input: ImageShape(batch: rows, height: 1, width: 1, channels: inputs),
        outputChannels: outputs, kernelSize: 1),
      weightName: "input_features * output_features", outputName: "rows * output_features")
  }

  /// Throws if weights or output have too many elements.
  private func limited(_ geometry: Conv2DGeometry, weightName: String, outputName: String) throws
    -> Conv2DGeometry
  {
    let output = geometry.output
    _ = try count(
      geometry.kernelSize, geometry.kernelSize, geometry.input.channels, geometry.outputChannels,
      of: weightName)
    _ = try count(output.batch, output.height, output.width, output.channels, of: outputName)
    return geometry
  }
}
