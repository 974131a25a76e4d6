import SKDKernels
import SKDRuntime

/// Regularisation of a stage's output in training: whole values, or squares of a feature map.
final class DropLayer {
  enum Kind {
    case dropout
    /// Squares of at most that side; smaller maps have squares of their own side.
    case dropBlock(blockSize: Int)
  }

  private let kind: Kind
  private let rate: Float
  /// Number of the layer in its network; it keeps the layers' random numbers apart.
  private let index: Int
  private let kept: AlignedBuffer<UInt8>
  private let corners: AlignedBuffer<UInt8>
  /// Scale of DropBlock, which keeps the mean over the whole batch.
  private var scale: Float = 0

  /// - Parameter ledger: Ledger in which the masks are entered instead of being allocated.
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
    try context.pool.compute {
      try drawMask(shape, context)
      apply(to: tensor)
    }
  }

  private func drawMask(_ shape: ImageShape, _ context: TrainingContext) throws {
    switch kind {
    case .dropout:
      let random = CounterRandom(
        seed: context.seed, purpose: .dropout, step: context.step, index: index)
      let perImage = shape.count / shape.batch
      for run in context.runs(of: shape.batch) {
        dropoutMask(
          kept: kept.pointer + run.rows.lowerBound * perImage, count: run.rows.count * perImage,
          rate: rate, random: random, from: run.first * perImage)
      }
    case .dropBlock(let blockSize):
      try dropBlocks(min(blockSize, shape.height), shape, context)
    }
  }

  private func dropBlocks(_ blockSize: Int, _ shape: ImageShape, _ context: TrainingContext) throws
  {
    let random = CounterRandom(
      seed: context.seed, purpose: .dropBlock, step: context.step, index: index)
    let gamma = dropBlockGamma(
      rate: Double(rate), blockSize: blockSize, side: shape.height, step: context.step + 1)
    let perImage = dropBlockCornerCount(shape: shape, blockSize: blockSize)
    for run in context.runs(of: shape.batch) {
      var images = shape
      images.batch = run.rows.count
      dropBlockCorners(
        corners: corners.pointer + run.rows.lowerBound * perImage, shape: images,
        blockSize: blockSize, gamma: gamma, random: random, firstImage: run.first)
    }
    var keptCount = dropBlockMask(
      corners: corners.pointer, shape: shape, blockSize: blockSize, kept: kept.pointer)
    var count = shape.count
    if let share = context.share {
      var sums = [Double(keptCount)]
      try share.sum(&sums)
      count = share.wholeCount(count)
      guard let whole = Int(exactly: sums[0]), 0...count ~= whole else {
        throw SKDError.callbackFailed(
          "share.sum must give the sum over all processes; got \(sums[0]) kept values of \(count)")
      }
      keptCount = whole
    }
    scale = dropBlockScale(count: count, keptCount: keptCount)
  }

  /// Turns the gradient of the output into the gradient of the input, in place.
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
        tensor.pointer, kept: kept.pointer, scale: scale, count: tensor.count,
        output: tensor.pointer)
    }
  }
}
