/// What one training pass shares among the layers.
public struct TrainingContext {
  public let pool: BufferPool
  /// Of dropout and DropBlock.
  public let seed: UInt64
  /// Training steps taken before this one.
  public let step: Int

  public init(pool: BufferPool, seed: UInt64, step: Int) {
    self.pool = pool
    self.seed = seed
    self.step = step
  }
}
