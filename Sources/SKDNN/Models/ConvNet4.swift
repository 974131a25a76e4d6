import SKDKernels

/// Four 3x3 convolutions with bias, batch norm and ReLU; a 2x2 maximum pool after the first three.
final class ConvNet4: Backbone {
  static let defaultWidths = [64, 64, 64, 64]
  private static let poolCount = 3

  private let convolutions: [Conv2DLayer]
  private let norms: [BatchNormLayer]
  private let widths: [Int]
  private var activations: [Tensor] = []

  init(in store: ParameterStore, inputChannels: Int, widths: [Int]) throws {
    self.widths = widths
    var convolutions: [Conv2DLayer] = []
    var norms: [BatchNormLayer] = []
    for (i, width) in widths.enumerated() {
      convolutions.append(
        Conv2DLayer(
          "layer\(i + 1).0", in: store, inputs: i == 0 ? inputChannels : widths[i - 1],
          outputs: width, kernelSize: 3, hasBias: true,
          initializer: kaimingNormal(outputs: width, kernelSize: 3)))
      norms.append(
        try BatchNormLayer("layer\(i + 1).1", in: store, channels: width, slope: 0))
    }
    (self.convolutions, self.norms) = (convolutions, norms)
  }

  var stageCount: Int { widths.count }
  var outputChannels: Int { widths[widths.count - 1] }

  func stageShape(_ stage: Int, of images: ImageShape) -> ImageShape {
    var shape = images
    for _ in 0..<min(stage + 1, Self.poolCount) { shape = shape.pooled }
    shape.channels = widths[stage]
    return shape
  }

  func forward(_ images: Tensor, _ context: TrainingContext) throws -> Tensor {
    activations = []
    var output = images
    for i in widths.indices {
      let activation = try norms[i].forward(
        try convolutions[i].forward(output, context.pool), context)
      output = try poolIfDue(activation, after: i, context.pool)
      activations.append(activation)
    }
    return output
  }

  func backward(
    _ dOutput: Tensor, _ context: TrainingContext, onFinal: (_ firstEntry: Int) throws -> Void
  ) throws {
    var gradient = dOutput
    for i in widths.indices.reversed() {
      let activation = activations.removeLast()
      if i < Self.poolCount {
        let dActivation = try context.pool.tensor(activation.shape)
        context.pool.compute {
          maxPool2DBackward(
            activation.pointer, gradient.pointer, shape: activation.shape,
            dInput: dActivation.pointer)
        }
        gradient = dActivation
      }
      try norms[i].backward(gradient, context)
      guard
        let next = try convolutions[i].backward(
          gradient, needsInputGradient: i > 0, context.pool)
      else { return }
      gradient = next
    }
  }

  func commitStatistics() { for norm in norms { norm.commitStatistics() } }

  func evaluate(
    _ images: Tensor, _ pool: BufferPool, onStage: (_ stage: Int, _ output: Tensor) -> Void
  ) throws -> Tensor {
    var output = images
    for i in widths.indices {
      let activation = try convolutions[i].evaluate(output, pool, folding: norms[i], slope: 0)
      output = try poolIfDue(activation, after: i, pool)
      onStage(i, output)
    }
    return output
  }

  private func poolIfDue(_ tensor: Tensor, after layer: Int, _ pool: BufferPool) throws -> Tensor {
    guard layer < Self.poolCount else { return tensor }
    let output = try pool.tensor(tensor.shape.pooled)
    pool.compute {
      maxPool2DForward(tensor.pointer, shape: tensor.shape, output: output.pointer)
    }
    return output
  }
}
