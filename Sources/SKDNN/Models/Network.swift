import SKDKernels
import SKDRuntime

/// Outputs of a network for a batch of images: one row each.
public struct NetworkOutput {
  /// Global average of the last feature map: `[batch, embeddingDimension]`.
  public let embedding: Tensor
  /// `[batch, classes]`.
  public let logits: Tensor
  /// `[batch, 4]`, read from the logits; nil without a rotation head.
  public let rotationLogits: Tensor?
}

/// A backbone with a linear classifier, and optionally a head that reads the rotation from the
/// class logits.
///
/// Not thread-safe: one pass at a time.
public final class Network {
  /// Quarter turns that the rotation head tells apart.
  static let rotationCount = 4

  public let configuration: NetworkConfiguration
  public let store: ParameterStore
  public let pool: BufferPool
  private let backbone: any Backbone
  private let classifier: Conv2DLayer
  private let rotationHead: Conv2DLayer?
  private var featureShape: ImageShape?
  /// The last evaluation that was found to fit into memory.
  var admittedEvaluation: MemoryNeed?

  /// - Parameters:
  ///   - drawsWeights: Whether the initial weights are drawn; otherwise all state is zero until the
  ///     caller loads it.
  ///   - ledger: Ledger in which its memory is entered instead of being allocated; its passes then
  ///     request their memory, and compute nothing.
  /// - Throws: `SKDError.outOfMemory`.
  public init(
    _ configuration: NetworkConfiguration, drawsWeights: Bool = true, ledger: MemoryLedger? = nil
  ) throws {
    self.configuration = configuration
    pool = BufferPool(ledger: ledger)
    store = try ParameterStore(precision: configuration.precision, ledger: ledger)
    backbone = try Self.backbone(configuration, in: store)
    classifier = Conv2DLayer(
      linear: "classifier", in: store, inputs: backbone.outputChannels,
      outputs: configuration.classCount)
    rotationHead =
      configuration.hasRotationHead
      ? Conv2DLayer(
        linear: "rot_classifier", in: store, inputs: configuration.classCount,
        outputs: Self.rotationCount)
      : nil
    try store.allocate(seed: drawsWeights ? configuration.seed : nil)
  }

  private static func backbone(
    _ configuration: NetworkConfiguration, in store: ParameterStore
  ) throws -> any Backbone {
    switch configuration.architecture {
    case .resnet12, .seresnet12, .resnet18, .resnet24:
      return try ResNet(
        in: store, inputChannels: configuration.inputChannels, widths: configuration.widths,
        depths: configuration.architecture.resNetDepths, isGated: configuration.usesGates,
        dropRate: configuration.dropRate, dropBlockSizes: configuration.dropBlockSizes)
    case .convnet4:
      return try ConvNet4(
        in: store, inputChannels: configuration.inputChannels, widths: configuration.widths)
    case .wideResNet28x10:
      return try WideResNet(
        in: store, inputChannels: configuration.inputChannels, widths: configuration.widths,
        dropRate: configuration.dropRate)
    }
  }

  /// A network of equal configuration and state, sharing nothing.
  public func clone() throws -> Network {
    let clone = try Network(configuration, drawsWeights: false)
    clone.store.copyState(from: store)
    return clone
  }

  public var embeddingDimension: Int { backbone.outputChannels }
  public var stageCount: Int { backbone.stageCount }

  /// Extent of `batch` images.
  ///
  /// - Parameter side: Height and width in pixels; nil for the configuration's. Global pooling makes
  ///   the weights independent of it.
  public func imageShape(batch: Int, side: Int? = nil) -> ImageShape {
    let side = side ?? configuration.imageSize
    return ImageShape(
      batch: batch, height: side, width: side, channels: configuration.inputChannels)
  }

  /// Extent of the output of a stage for `batch` images.
  public func stageShape(_ stage: Int, batch: Int) -> ImageShape {
    backbone.stageShape(stage, of: imageShape(batch: batch))
  }

  // MARK: Training

  /// A pass with batch statistics and dropping. Running statistics stay until `commitStatistics`.
  ///
  /// - Throws: `SKDError.invalidArgument` if the batch is too small for batch norm,
  ///   `SKDError.outOfMemory`.
  public func forward(_ images: Tensor, _ context: TrainingContext) throws -> NetworkOutput {
    let features = try backbone.forward(images, context)
    featureShape = features.shape
    let embedding = try pooled(features)
    let logits = try classifier.forward(embedding, pool)
    return NetworkOutput(
      embedding: embedding, logits: logits,
      rotationLogits: try rotationHead?.forward(logits, pool))
  }

  /// Writes the gradient of every parameter that the loss depends on: of a shared batch, its sum over
  /// all processes.
  ///
  /// - Parameters:
  ///   - dLogits: Gradient with respect to the logits, without the rotation head's part, which is
  ///     added to it.
  ///   - dRotationLogits: Nil if the loss does not read the rotation head, which then gets no
  ///     gradient.
  ///   - dEmbedding: Gradient with respect to the embedding from losses that read it directly; nil
  ///     if none does.
  public func backward(
    dLogits: Tensor, dRotationLogits: Tensor?, dEmbedding: Tensor? = nil,
    _ context: TrainingContext
  ) throws {
    guard let featureShape else { preconditionFailure("backward before forward") }
    for entry in store.entries { entry.hasGradient = false }
    if let dRotationLogits, let rotationHead,
      let through = try rotationHead.backward(dRotationLogits, pool)
    {
      pool.compute { addInPlace(dLogits.pointer, through.pointer, count: dLogits.count) }
    }
    guard let dPooled = try classifier.backward(dLogits, adding: dEmbedding, pool) else { return }
    let dFeatures = try pool.tensor(featureShape)
    pool.compute {
      globalAveragePoolBackward(
        dPooled.pointer, shape: featureShape, dInput: dFeatures.pointer)
    }
    let exchange = context.share.map { GradientExchange(store, $0) }
    try backbone.backward(dFeatures, context) { try exchange?.handOver(from: $0) }
    try exchange?.finish()
  }

  /// Takes the batch statistics of the last forward pass into the running ones.
  public func commitStatistics() {
    backbone.commitStatistics()
    store.markChanged()
  }

  // MARK: Evaluation

  /// A pass with running statistics and without dropping.
  ///
  /// - Throws: `SKDError.outOfMemory`.
  public func evaluate(_ images: Tensor) throws -> NetworkOutput {
    let embedding = try embed(images)
    let logits = try classifier.evaluate(embedding, pool)
    return NetworkOutput(
      embedding: embedding, logits: logits,
      rotationLogits: try rotationHead?.evaluate(logits, pool))
  }

  /// The embedding of `evaluate`, without the heads.
  ///
  /// - Parameter onStage: Called with the number and the output of each stage.
  /// - Throws: `SKDError.outOfMemory`.
  public func embed(
    _ images: Tensor, onStage: (_ stage: Int, _ output: Tensor) -> Void = { _, _ in }
  ) throws -> Tensor {
    try pooled(try backbone.evaluate(images, pool, onStage: onStage))
  }

  private func pooled(_ features: Tensor) throws -> Tensor {
    let embedding = try pool.vectors(
      features.shape.batch, dimensions: features.shape.channels)
    pool.compute {
      globalAveragePoolForward(
        features.pointer, shape: features.shape, output: embedding.pointer)
    }
    return embedding
  }
}
