import SKDKernels

/// One block of the ResNets: three 3x3 convolutions around a 1x1 shortcut, then a 2x2 maximum pool
/// and a drop. A block that does not pool adds its input itself.
final class ResidualBlock {
  static let leak: Float = 0.1

  /// Number of its first state entry.
  let firstEntry: Int
  private let convolutions: [Conv2DLayer]
  private let norms: [BatchNormLayer]
  private let shortcut: (convolution: Conv2DLayer, norm: BatchNormLayer)?
  private let gate: SqueezeExcitationLayer?
  private let drop: DropLayer
  private let pools: Bool
  private var branches: (main: DeferredActivation, side: DeferredActivation)?

  /// - Parameter pools: Whether it halves the side. If not, `inputs` must be `outputs`.
  init(
    _ name: String, in store: ParameterStore, inputs: Int, outputs: Int, pools: Bool = true,
    isGated: Bool, drop: DropLayer
  ) throws {
    precondition(pools || inputs == outputs)
    self.pools = pools
    firstEntry = store.entries.count
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
    shortcut =
      pools
      ? (
        Conv2DLayer(
          "\(name).downsample.0", in: store, inputs: inputs, outputs: outputs, kernelSize: 1,
          hasBias: false, initializer: kaimingNormal(outputs: outputs, kernelSize: 1)),
        try BatchNormLayer("\(name).downsample.1", in: store, channels: outputs)
      ) : nil
    gate =
      isGated ? SqueezeExcitationLayer("\(name).se", in: store, channels: outputs) : nil
    self.drop = drop
  }

  func forward(_ input: Tensor, _ context: TrainingContext) throws -> Tensor {
    let pool = context.pool
    var main = DeferredActivation(input)
    for (convolution, norm) in zip(convolutions, norms) {
      let (output, moments) = try convolution.forward(main, pool)
      main = try norm.forward(output, moments: moments, context)
    }
    if let gate { main = DeferredActivation(try gate.forward(try main.values(pool), pool)) }
    var side = DeferredActivation(input)
    if let shortcut {
      let (output, moments) = try shortcut.convolution.forward(side, pool)
      side = try shortcut.norm.forward(output, moments: moments, context)
    }
    branches = (main, side)
    let joined = try joined(main, side, pool)
    try drop.forward(joined, context)
    return joined
  }

  /// The gradient of the block's input, or nil for the first block, whose input are the images.
  func backward(_ dOutput: Tensor, needsInputGradient: Bool, _ context: TrainingContext) throws
    -> Tensor?
  {
    guard let (main, side) = branches else { preconditionFailure("backward before forward") }
    branches = nil
    let pool = context.pool
    drop.backward(dOutput, context)
    let tail = tail(main, side)
    let dSum = try pool.tensor(main.tensor.shape)
    let channels = dSum.shape.channels
    let mainSums =
      gate == nil ? try PooledChannelSums(groups: tail.groups, channels: channels, pool) : nil
    let sideSums =
      shortcut == nil ? nil : try PooledChannelSums(groups: tail.groups, channels: channels, pool)
    pool.compute {
      tail.backward(
        dOutput.pointer, dSum: dSum.pointer, mainRecords: mainSums?.records,
        sideRecords: sideSums?.records)
    }

    // Both branches have the gradient of the sum. The main branch's goes to other memory.
    var gradient = try gate?.backward(dSum, pool) ?? pool.tensor(dSum.shape)
    if let sums = mainSums {
      try norms[2].backward(dSum, sums: sums, into: gradient, context)
    } else {
      try norms[2].backward(gradient, context)
    }
    var dSide: Tensor? = dSum
    if let shortcut, let sideSums {
      try shortcut.norm.backward(dSum, sums: sideSums, into: dSum, context)
      dSide = try shortcut.convolution.backward(
        dSum, needsInputGradient: needsInputGradient, pool)
    }
    for i in [2, 1] {
      let (next, sums) = try convolutions[i].backward(gradient, through: norms[i - 1], pool)
      try norms[i - 1].backward(next, sums: sums, into: next, context)
      gradient = next
    }
    return try convolutions[0].backward(
      gradient, needsInputGradient: needsInputGradient, adding: dSide, pool)
  }

  func commitStatistics() {
    for norm in norms { norm.commitStatistics() }
    shortcut?.norm.commitStatistics()
  }

  func evaluate(_ input: Tensor, _ pool: BufferPool) throws -> Tensor {
    var main = input
    for i in 0..<3 {
      main = try convolutions[i].evaluate(
        main, pool, folding: norms[i], slope: i < 2 ? Self.leak : 1)
    }
    if let gate { main = try gate.evaluate(main, pool) }
    let side =
      try shortcut.map { try $0.convolution.evaluate(input, pool, folding: $0.norm) } ?? input
    return try joined(DeferredActivation(main), DeferredActivation(side), pool)
  }

  private func tail(_ main: DeferredActivation, _ side: DeferredActivation) -> any ResidualTail {
    let branches = ResidualBranches(
      shape: main.tensor.shape, slope: Self.leak, main: main.tensor.pointer,
      mainNormalization: main.normalization, side: side.tensor.pointer,
      sideNormalization: side.normalization)
    return pools ? ResidualPool(branches) : ResidualSum(branches)
  }

  private func joined(_ main: DeferredActivation, _ side: DeferredActivation, _ pool: BufferPool)
    throws -> Tensor
  {
    let tail = tail(main, side)
    let output = try pool.tensor(tail.outputShape)
    pool.compute { tail.forward(output.pointer) }
    return output
  }
}
