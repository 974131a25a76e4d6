import CSKD
import SKDKernels
import SKDRuntime

@c @implementation
public func skd_conv2d_forward(
  _ input: UnsafePointer<Float>!, _ weight: UnsafePointer<Float>!, _ bias: UnsafePointer<Float>!,
  _ shape: UnsafePointer<skd_conv2d_shape>!, _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("conv2d_forward") { arguments in
    try convolve(
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
    try convolveBackward(
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
    try convolve(
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
    try convolveBackward(
      arguments.linear(rows, input_features, output_features),
      input: arguments.pointer(input, "input"), weight: arguments.pointer(weight, "weight"),
      dOutput: arguments.pointer(d_output, "d_output"), dInput: d_input, dWeight: d_weight,
      dBias: d_bias)
  }
}

/// The forward pass with weights in OIHW order.
///
/// - Throws: `SKDError.outOfMemory`; `output` is then untouched.
private func convolve(
  _ geometry: Conv2DGeometry, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
  bias: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>
) throws {
  let convolution = Conv2D(geometry)
  let workers = WorkerPool.shared.threadCount
  let (packedCount, scratchCount) = (
    convolution.packedWeightCount, convolution.forwardScratchCount(workers: workers)
  )
  try MachineMemory.require(
    floats: [geometry.weightCount, packedCount, scratchCount], for: "a convolution")
  let storage = try AlignedBuffer<Float>(count: geometry.weightCount)
  let packed = try AlignedBuffer<Float>(count: packedCount)
  let scratch = try AlignedBuffer<Float>(count: scratchCount)
  // The kernel reads the bias in blocks of 32.
  let paddedBias = try bias.map { bias in
    let padded = try AlignedBuffer<Float>(count: (geometry.outputChannels + 31) / 32 * 32)
    padded.pointer.update(from: bias, count: geometry.outputChannels)
    return padded
  }
  geometry.storeOIHW(weight, into: storage.pointer)
  convolution.packWeight(storage.pointer, into: packed.pointer)
  let isPacked = packedCount > 0
  withExtendedLifetime((storage, packed, scratch, paddedBias)) {
    convolution.forward(
      input, packedWeight: isPacked ? packed.pointer : storage.pointer,
      bias: paddedBias.map { UnsafePointer($0.pointer) }, output: output, scratch: scratch.pointer,
      workers: workers)
  }
}

/// The gradients that are asked for, with weights in OIHW order.
///
/// - Throws: `SKDError.outOfMemory`; the gradients are then untouched.
private func convolveBackward(
  _ geometry: Conv2DGeometry, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
  dOutput: UnsafePointer<Float>, dInput: UnsafeMutablePointer<Float>?,
  dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?
) throws {
  let convolution = Conv2D(geometry)
  let workers = WorkerPool.shared.threadCount
  var (storageCount, packedCount, scratchCount) = (0, 0, 0)
  if dInput != nil {
    storageCount = geometry.weightCount
    packedCount = convolution.packedTransposeCount
    scratchCount = convolution.backwardInputScratchCount(workers: workers)
  }
  if dWeight != nil {
    storageCount = geometry.weightCount
    scratchCount = max(scratchCount, convolution.backwardWeightScratchCount(workers: workers))
  }
  try MachineMemory.require(
    floats: [storageCount, packedCount, scratchCount], for: "the gradients of a convolution")
  // One after the other, the weights and their gradient.
  let storage = try AlignedBuffer<Float>(count: storageCount)
  let packed = try AlignedBuffer<Float>(count: packedCount)
  let scratch = try AlignedBuffer<Float>(count: scratchCount)
  withExtendedLifetime((storage, packed, scratch)) {
    if let dInput {
      geometry.storeOIHW(weight, into: storage.pointer)
      convolution.packTranspose(storage.pointer, into: packed.pointer)
      let isPacked = packedCount > 0
      convolution.backwardInput(
        dOutput, packedTranspose: isPacked ? packed.pointer : storage.pointer, dInput: dInput,
        scratch: scratch.pointer, workers: workers)
    }
    if let dWeight {
      convolution.backwardWeight(
        input, dOutput, dWeight: storage.pointer, scratch: scratch.pointer, workers: workers)
      geometry.loadOIHW(storage.pointer, into: dWeight)
    }
    if let dBias {
      biasGradient(
        dOutput, rows: geometry.output.rows, channels: geometry.outputChannels, dBias: dBias)
    }
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
