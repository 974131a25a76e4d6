/// What one training pass shares among the layers.
public struct TrainingContext {
  public let pool: BufferPool
  /// Of dropout and DropBlock.
  public let seed: UInt64
  /// Training steps taken before this one.
  public let step: Int
  /// Nil if the batch is the whole one.
  public let share: BatchShare?

  public init(pool: BufferPool, seed: UInt64, step: Int, share: BatchShare? = nil) {
    self.pool = pool
    self.seed = seed
    self.step = step
    self.share = share
  }

  /// Nil if batch norms take their statistics over the batch at hand.
  var batchNormShare: BatchShare? { share?.syncsBatchNorm == true ? share : nil }

  /// Where rows of images lie in the whole batch.
  func runs(of rows: Int) -> [BatchRun] {
    share?.runs(of: rows) ?? [BatchRun(rows: 0..<rows, first: 0)]
  }
}
