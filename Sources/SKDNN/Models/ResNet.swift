import SKDKernels

/// The residual networks of RFS and SKD: four stages of one or two blocks, each stage halving the
/// side; optionally gated (SEResNet-12).
///
/// Where a stage has two blocks, the first pools and has the shortcut convolution, and the last has
/// the gate and DropBlock: the published code never hands the first of two its `use_se`, so that no
/// checkpoint has a gate there.
final class ResNet: Backbone {
  static let defaultWidths = [64, 160, 320, 640]

  private let stages: [[ResidualBlock]]
  private let widths: [Int]

  /// - Parameters:
  ///   - depths: Blocks of each stage.
  ///   - dropBlockSizes: Block sizes of stages 3 and 4; stages 1 and 2 use dropout.
  init(
    in store: ParameterStore, inputChannels: Int, widths: [Int], depths: [Int], isGated: Bool,
    dropRate: Float, dropBlockSizes: [Int]
  ) throws {
    self.widths = widths
    var stages: [[ResidualBlock]] = []
    var blockCount = 0
    for (i, (width, depth)) in zip(widths, depths).enumerated() {
      var blocks: [ResidualBlock] = []
      for j in 0..<depth {
        let isLast = j == depth - 1
        let kind: DropLayer.Kind =
          i < 2 || !isLast ? .dropout : .dropBlock(blockSize: dropBlockSizes[i - 2])
        let inputs = j > 0 ? width : i == 0 ? inputChannels : widths[i - 1]
        blocks.append(
          try ResidualBlock(
            "layer\(i + 1).\(j)", in: store, inputs: inputs, outputs: width, pools: j == 0,
            isGated: isGated && isLast,
            drop: try DropLayer(kind, rate: dropRate, index: blockCount, ledger: store.ledger)))
        blockCount += 1
      }
      stages.append(blocks)
    }
    self.stages = stages
  }

  var stageCount: Int { stages.count }
  var outputChannels: Int { widths[widths.count - 1] }

  func stageShape(_ stage: Int, of images: ImageShape) -> ImageShape {
    var shape = images
    for _ in 0...stage { shape = shape.pooled }
    shape.channels = widths[stage]
    return shape
  }

  func forward(_ images: Tensor, _ context: TrainingContext) throws -> Tensor {
    try stages.joined().reduce(images) { try $1.forward($0, context) }
  }

  func backward(
    _ dOutput: Tensor, _ context: TrainingContext, onFinal: (_ firstEntry: Int) throws -> Void
  ) throws {
    var gradient = dOutput
    for (i, block) in stages.joined().enumerated().reversed() {
      guard let next = try block.backward(gradient, needsInputGradient: i > 0, context) else {
        return
      }
      try onFinal(block.firstEntry)
      gradient = next
    }
  }

  func commitStatistics() { for block in stages.joined() { block.commitStatistics() } }

  func evaluate(
    _ images: Tensor, _ pool: BufferPool, onStage: (_ stage: Int, _ output: Tensor) -> Void
  ) throws -> Tensor {
    var output = images
    for (i, blocks) in stages.enumerated() {
      for block in blocks { output = try block.evaluate(output, pool) }
      onStage(i, output)
    }
    return output
  }
}
