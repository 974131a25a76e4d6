import SKDKernels

/// One block of ResNet-12: three 3x3 convolutions around a 1x1 shortcut, then a 2x2 maximum pool
/// and a drop.
final class ResidualStage {
  static let leak: Float = 0.1

  private let convolutions: [Conv2DLayer]
  private let norms: [BatchNormLayer]
  private let shortcut: Conv2DLayer
  private let shortcutNorm: BatchNormLayer
  private let gate: SqueezeExcitationLayer?
  private let drop: DropLayer
  private var sum: Tensor?

  init(
    _ name: String, in store: ParameterStore, inputs: Int, outputs: Int, isGated: Bool,
    drop: DropLayer
  ) throws {
    var convolutions: [Conv2DLayer] = []
    var norms: [BatchNormLayer] = []
    for i in 1...3 {
      convolutions.append(
        Conv2DLayer(
          "\(name).conv\(i)", in: store, inputs: i == 1 ? inputs : outputs, outputs: outputs,
          kernelSize: 3, hasBias: false,
          initializer: kaimingNormal(outputs: outputs, kernelSize: 3)))
      norms.append(
        try BatchNormLayer(
          "\(name).bn\(i)", in: store, channels: outputs, slope: i < 3 ? Self.leak : 1))
    }
    (self.convolutions, self.norms) = (convolutions, norms)
    shortcut = Conv2DLayer(
      "\(name).downsample.0", in: store, inputs: inputs, outputs: outputs, kernelSize: 1,
      hasBias: false, initializer: kaimingNormal(outputs: outputs, kernelSize: 1))
    shortcutNorm = try BatchNormLayer("\(name).downsample.1", in: store, channels: outputs)
    gate =
      isGated ? SqueezeExcitationLayer("\(name).se", in: store, channels: outputs) : nil
    self.drop = drop
  }

  func forward(_ input: Tensor, _ context: TrainingContext) throws -> Tensor {
    let pool = context.pool
    var main = input
    for (convolution, norm) in zip(convolutions, norms) {
      main = try norm.forward(try convolution.forward(main, pool), pool)
    }
    if let gate { main = try gate.forward(main, pool) }
    let side = try shortcutNorm.forward(try shortcut.forward(input, pool), pool)
    let sum = try add(main, side, pool)
    self.sum = sum
    let output = try pooled(sum, pool)
    try drop.forward(output, context)
    return output
  }

  /// The gradient of the stage's input, or nil for the first stage, whose input are the images.
  func backward(_ dOutput: Tensor, needsInputGradient: Bool, _ context: TrainingContext) throws
    -> Tensor?
  {
    guard let sum else { preconditionFailure("backward before forward") }
    self.sum = nil
    let pool = context.pool
    drop.backward(dOutput)
    let dSum = try pool.tensor(sum.shape)
    maxPool2DBackward(sum.pointer, dOutput.pointer, shape: sum.shape, dInput: dSum.pointer)
    leakyReLUBackward(
      sum.pointer, dSum.pointer, count: sum.count, slope: Self.leak, dInput: dSum.pointer)

    var gradient = try gate?.backward(dSum, pool) ?? dSum
    for i in (0..<3).reversed() {
      // The shortcut still needs the gradient of the sum: it is not overwritten.
      let dNormInput = gradient === dSum ? try pool.tensor(dSum.shape) : gradient
      try norms[i].backward(gradient, into: dNormInput, pool)
      let isNeeded = i > 0 || needsInputGradient
      guard
        let next = try convolutions[i].backward(
          dNormInput, needsInputGradient: isNeeded, pool)
      else { break }
      gradient = next
    }
    try shortcutNorm.backward(dSum, pool)
    let dSide = try shortcut.backward(dSum, needsInputGradient: needsInputGradient, pool)
    guard let dSide else { return nil }
    addInPlace(gradient.pointer, dSide.pointer, count: gradient.count)
    return gradient
  }

  func commitStatistics() {
    for norm in norms + [shortcutNorm] { norm.commitStatistics() }
  }

  func evaluate(_ input: Tensor, _ pool: BufferPool) throws -> Tensor {
    var main = input
    for i in 0..<3 {
      main = try convolutions[i].evaluate(
        main, pool, folding: norms[i], slope: i < 2 ? Self.leak : 1)
    }
    if let gate { main = try gate.evaluate(main, pool) }
    let side = try shortcut.evaluate(input, pool, folding: shortcutNorm)
    return try pooled(try add(main, side, pool), pool)
  }

  private func add(_ a: Tensor, _ b: Tensor, _ pool: BufferPool) throws -> Tensor {
    let sum = try pool.tensor(a.shape)
    residualAddForward(
      a.pointer, b.pointer, count: a.count, slope: Self.leak, output: sum.pointer)
    return sum
  }

  private func pooled(_ tensor: Tensor, _ pool: BufferPool) throws -> Tensor {
    let output = try pool.tensor(tensor.shape.pooled)
    maxPool2DForward(tensor.pointer, shape: tensor.shape, output: output.pointer)
    return output
  }
}
