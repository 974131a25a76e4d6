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
  private var branches: (main: Activation, side: Activation)?

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
    var main = Activation(input)
    for (convolution, norm) in zip(convolutions, norms) {
      let (output, moments) = try convolution.forward(main, pool)
      main = try norm.forward(output, moments: moments)
    }
    if let gate { main = Activation(try gate.forward(try main.values(pool), pool)) }
    let (output, moments) = try shortcut.forward(Activation(input), pool)
    let side = try shortcutNorm.forward(output, moments: moments)
    branches = (main, side)
    let pooled = try pooled(main, side, pool)
    try drop.forward(pooled, context)
    return pooled
  }

  /// The gradient of the stage's input, or nil for the first stage, whose input are the images.
  func backward(_ dOutput: Tensor, needsInputGradient: Bool, _ context: TrainingContext) throws
    -> Tensor?
  {
    guard let (main, side) = branches else { preconditionFailure("backward before forward") }
    branches = nil
    let pool = context.pool
    drop.backward(dOutput)
    let tail = residualPool(main, side)
    let dSum = try pool.tensor(main.tensor.shape)
    let channels = dSum.shape.channels
    let mainSums =
      gate == nil ? try ChannelRecords(groups: tail.groups, channels: channels, pool) : nil
    let sideSums = try ChannelRecords(groups: tail.groups, channels: channels, pool)
    tail.backward(
      dOutput.pointer, dSum: dSum.pointer, mainRecords: mainSums?.pointer,
      sideRecords: sideSums.pointer)

    // The gradient of the sum is that of both branches: the main one's goes to other memory.
    var gradient = try gate?.backward(dSum, pool) ?? pool.tensor(dSum.shape)
    if let sums = mainSums {
      norms[2].backward(dSum, sums: sums, into: gradient)
    } else {
      try norms[2].backward(gradient, pool)
    }
    shortcutNorm.backward(dSum, sums: sideSums, into: dSum)
    let dSide = try shortcut.backward(dSum, needsInputGradient: needsInputGradient, pool)
    for i in [2, 1] {
      let (next, sums) = try convolutions[i].backward(gradient, through: norms[i - 1], pool)
      norms[i - 1].backward(next, sums: sums, into: next)
      gradient = next
    }
    return try convolutions[0].backward(
      gradient, needsInputGradient: needsInputGradient, adding: dSide, pool)
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
    return try pooled(Activation(main), Activation(side), pool)
  }

  private func residualPool(_ main: Activation, _ side: Activation) -> ResidualPool {
    ResidualPool(
      shape: main.tensor.shape, slope: Self.leak, main: main.tensor.pointer,
      mainNormalization: main.normalization, side: side.tensor.pointer,
      sideNormalization: side.normalization)
  }

  private func pooled(_ main: Activation, _ side: Activation, _ pool: BufferPool) throws -> Tensor {
    let output = try pool.tensor(main.tensor.shape.pooled)
    residualPool(main, side).forward(output.pointer)
    return output
  }
}
