import SKDKernels

/// SKD's ResNet-12: four residual stages, each halving the side; optionally gated (SEResNet-12).
final class ResNet12: Backbone {
  static let defaultWidths = [64, 160, 320, 640]

  private let stages: [ResidualStage]
  private let widths: [Int]

  /// - Parameters:
  ///   - dropBlockSizes: Of stages 3 and 4; stages 1 and 2 use dropout.
  init(
    in store: ParameterStore, inputChannels: Int, widths: [Int], isGated: Bool, dropRate: Float,
    dropBlockSizes: [Int]
  ) throws {
    self.widths = widths
    var stages: [ResidualStage] = []
    for (i, width) in widths.enumerated() {
      let kind: DropLayer.Kind =
        i < 2 ? .dropout : .dropBlock(blockSize: dropBlockSizes[i - 2])
      stages.append(
        try ResidualStage(
          "layer\(i + 1).0", in: store, inputs: i == 0 ? inputChannels : widths[i - 1],
          outputs: width, isGated: isGated,
          drop: try DropLayer(kind, rate: dropRate, index: i)))
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
    try stages.reduce(images) { try $1.forward($0, context) }
  }

  func backward(_ dOutput: Tensor, _ context: TrainingContext) throws {
    var gradient = dOutput
    for (i, stage) in stages.enumerated().reversed() {
      guard let next = try stage.backward(gradient, needsInputGradient: i > 0, context) else {
        return
      }
      gradient = next
    }
  }

  func commitStatistics() { for stage in stages { stage.commitStatistics() } }

  func evaluate(
    _ images: Tensor, _ pool: BufferPool, onStage: (_ stage: Int, _ output: Tensor) -> Void
  ) throws -> Tensor {
    var output = images
    for (i, stage) in stages.enumerated() {
      output = try stage.evaluate(output, pool)
      onStage(i, output)
    }
    return output
  }
}
