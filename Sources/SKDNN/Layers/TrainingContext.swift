/// State that the layers share in one training pass.
public struct TrainingContext {
  public let pool: BufferPool
  /// Seed of dropout and DropBlock.
  public let seed: UInt64
  /// Training steps taken before this one.
  public let step: Int
  /// Nil if the batch is the whole one.
  public let share: BatchShard?

  public init(pool: BufferPool, seed: UInt64, step: Int, share: BatchShard? = nil) {
    self.pool = pool
    self.seed = seed
    self.step = step
    self.share = share
  }

  /// Nil if batch norms take their statistics over the batch at hand.
  var batchNormShare: BatchShard? { share?.syncsBatchNorm == true ? share : nil }

  /// Positions of rows of images in the whole batch.
  func runs(of rows: Int) -> [BatchRun] {
    share?.runs(of: rows) ?? [BatchRun(rows: 0..<rows, first: 0)]
  }
}
