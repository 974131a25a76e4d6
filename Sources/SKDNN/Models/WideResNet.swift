import SKDKernels

/// WRN-28-10 (Zagoruyko and Komodakis, arXiv:1605.07146) as the field's few-shot code has it: every
/// convolution has a bias, the stride is on the second, the last batch norm has momentum 0.9.
final class WideResNet: Backbone {
  static let defaultWidths = [160, 320, 640]
  private static let stemChannels = 16
  private static let blocksPerStage = 4  // (28 - 4) / 6

  private let stem: Conv2DLayer
  private let stages: [[WideBlock]]
  private let norm: BatchNormLayer
  private let widths: [Int]

  init(in store: ParameterStore, inputChannels: Int, widths: [Int], dropRate: Float) throws {
    self.widths = widths
    stem = Conv2DLayer(
      "conv1", in: store, inputs: inputChannels, outputs: Self.stemChannels, kernelSize: 3,
      hasBias: true)
    var stages: [[WideBlock]] = []
    var channels = Self.stemChannels
    for (i, width) in widths.enumerated() {
      var blocks: [WideBlock] = []
      for j in 0..<Self.blocksPerStage {
        blocks.append(
          try WideBlock(
            "layer\(i + 1).\(j)", in: store, inputs: channels, outputs: width,
            stride: i > 0 && j == 0 ? 2 : 1,
            drop: try DropLayer(
              .dropout, rate: dropRate, index: i * Self.blocksPerStage + j,
              ledger: store.ledger)))
        channels = width
      }
      stages.append(blocks)
    }
    self.stages = stages
    norm = try BatchNormLayer("bn1", in: store, channels: channels, slope: 0, momentum: 0.9)
  }

  var stageCount: Int { stages.count }
  var outputChannels: Int { widths[widths.count - 1] }

  func stageShape(_ stage: Int, of images: ImageShape) -> ImageShape {
    var shape = images
    for _ in 0..<stage {
      shape.height = (shape.height + 1) / 2
      shape.width = (shape.width + 1) / 2
    }
    shape.channels = widths[stage]
    return shape
  }

  func forward(_ images: Tensor, _ context: TrainingContext) throws -> Tensor {
    var output = try stem.forward(images, context.pool)
    for block in stages.joined() { output = try block.forward(output, context) }
    return try norm.forward(output, context)
  }

  func backward(
    _ dOutput: Tensor, _ context: TrainingContext, onFinal: (_ firstEntry: Int) throws -> Void
  ) throws {
    var gradient = dOutput
    try norm.backward(gradient, context)
    for block in stages.joined().reversed() {
      gradient = try block.backward(gradient, context)
      try onFinal(block.firstEntry)
    }
    _ = try stem.backward(gradient, needsInputGradient: false, context.pool)
  }

  func commitStatistics() {
    for block in stages.joined() { block.commitStatistics() }
    norm.commitStatistics()
  }

  func evaluate(
    _ images: Tensor, _ pool: BufferPool, onStage: (_ stage: Int, _ output: Tensor) -> Void
  ) throws -> Tensor {
    var output = try stem.evaluate(images, pool)
    for (i, blocks) in stages.enumerated() {
      for block in blocks { output = try block.evaluate(output, pool) }
      onStage(i, output)
    }
    return try norm.evaluate(output, pool)
  }
}

/// A pre-activation block: conv2(relu(bn2(drop(conv1(relu(bn1(x))))))) + shortcut(x).
private final class WideBlock {
  /// Number of its first state entry.
  let firstEntry: Int
  private let norm1: BatchNormLayer
  private let convolution1: Conv2DLayer
  private let drop: DropLayer
  private let norm2: BatchNormLayer
  private let convolution2: Conv2DLayer
  private let shortcut: Conv2DLayer?

  init(
    _ name: String, in store: ParameterStore, inputs: Int, outputs: Int, stride: Int,
    drop: DropLayer
  ) throws {
    firstEntry = store.entries.count
    norm1 = try BatchNormLayer("\(name).bn1", in: store, channels: inputs, slope: 0)
    convolution1 = Conv2DLayer(
      "\(name).conv1", in: store, inputs: inputs, outputs: outputs, kernelSize: 3, hasBias: true)
    self.drop = drop
    norm2 = try BatchNormLayer("\(name).bn2", in: store, channels: outputs, slope: 0)
    convolution2 = Conv2DLayer(
      "\(name).conv2", in: store, inputs: outputs, outputs: outputs, kernelSize: 3,
      stride: stride, hasBias: true)
    shortcut =
      stride != 1 || inputs != outputs
      ? Conv2DLayer(
        "\(name).shortcut.0", in: store, inputs: inputs, outputs: outputs, kernelSize: 1,
        stride: stride, hasBias: true)
      : nil
  }

  func forward(_ input: Tensor, _ context: TrainingContext) throws -> Tensor {
    let pool = context.pool
    let hidden = try convolution1.forward(try norm1.forward(input, context), pool)
    try drop.forward(hidden, context)
    let main = try convolution2.forward(try norm2.forward(hidden, context), pool)
    add(try shortcut?.forward(input, pool) ?? input, to: main, pool)
    return main
  }

  func backward(_ dOutput: Tensor, _ context: TrainingContext) throws -> Tensor {
    let pool = context.pool
    let dHidden = try inputGradient(of: convolution2, dOutput, pool)
    try norm2.backward(dHidden, context)
    drop.backward(dHidden, context)
    let dInput = try inputGradient(of: convolution1, dHidden, pool)
    try norm1.backward(dInput, context)
    add(
      try shortcut.map { try inputGradient(of: $0, dOutput, pool) } ?? dOutput, to: dInput, pool)
    return dInput
  }

  func commitStatistics() {
    norm1.commitStatistics()
    norm2.commitStatistics()
  }

  func evaluate(_ input: Tensor, _ pool: BufferPool) throws -> Tensor {
    let hidden = try convolution1.evaluate(
      try norm1.evaluate(input, pool), pool, folding: norm2, slope: 0)
    let main = try convolution2.evaluate(hidden, pool)
    add(try shortcut?.evaluate(input, pool) ?? input, to: main, pool)
    return main
  }

  private func inputGradient(of layer: Conv2DLayer, _ dOutput: Tensor, _ pool: BufferPool) throws
    -> Tensor
  {
    guard let dInput = try layer.backward(dOutput, pool) else {
      preconditionFailure("an input gradient was asked for")
    }
    return dInput
  }

  private func add(_ addend: Tensor, to target: Tensor, _ pool: BufferPool) {
    pool.compute { addInPlace(target.pointer, addend.pointer, count: target.count) }
  }
}
