import SKDKernels
import SKDRuntime

/// Regularisation of a stage's output in training: whole values, or squares of a feature map.
final class DropLayer {
  enum Kind {
    case dropout
    case dropBlock(blockSize: Int)
  }

  private let kind: Kind
  private let rate: Float
  /// Number of the layer in its network; it keeps the layers' random numbers apart.
  private let index: Int
  private let kept: AlignedBuffer<UInt8>
  private let corners: AlignedBuffer<UInt8>
  private var keptCount = 0

  /// - Parameter ledger: Where the masks are entered instead of being allocated.
  init(_ kind: Kind, rate: Float, index: Int, ledger: MemoryLedger? = nil) throws {
    (self.kind, self.rate, self.index) = (kind, rate, index)
    kept = try AlignedBuffer(count: 0, ledger: ledger)
    corners = try AlignedBuffer(count: 0, ledger: ledger)
  }

  /// Drops from `tensor` in place.
  func forward(_ tensor: Tensor, _ context: TrainingContext) throws {
    guard rate > 0 else { return }
    let shape = tensor.shape
    try kept.reserve(shape.count)
    if case .dropBlock = kind { try corners.reserve(shape.count) }
    context.pool.compute {
      drawMask(shape, context)
      apply(to: tensor)
    }
  }

  private func drawMask(_ shape: ImageShape, _ context: TrainingContext) {
    switch kind {
    case .dropout:
      dropoutMask(
        kept: kept.pointer, count: shape.count, rate: rate,
        random: CounterRandom(
          seed: context.seed, purpose: .dropout, step: context.step, index: index))
    case .dropBlock(let blockSize):
      dropBlockCorners(
        corners: corners.pointer, shape: shape, blockSize: blockSize,
        gamma: dropBlockGamma(
          rate: Double(rate), blockSize: blockSize, side: shape.height, step: context.step + 1),
        random: CounterRandom(
          seed: context.seed, purpose: .dropBlock, step: context.step, index: index))
      keptCount = dropBlockMask(
        corners: corners.pointer, shape: shape, blockSize: blockSize, kept: kept.pointer)
    }
  }

  /// Turns the gradient of the output into that of the input, in place.
  func backward(_ gradient: Tensor, _ context: TrainingContext) {
    if rate > 0 { context.pool.compute { apply(to: gradient) } }
  }

  private func apply(to tensor: Tensor) {
    switch kind {
    case .dropout:
      dropoutApply(
        tensor.pointer, kept: kept.pointer, count: tensor.count, rate: rate,
        output: tensor.pointer)
    case .dropBlock:
      dropBlockApply(
        tensor.pointer, kept: kept.pointer, keptCount: keptCount, count: tensor.count,
        output: tensor.pointer)
    }
  }
}
