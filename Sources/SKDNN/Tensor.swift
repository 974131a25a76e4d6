import SKDKernels
import SKDRuntime

/// A batch of images, or of feature vectors (height and width 1), in NHWC order.
///
/// Its memory belongs to a `BufferPool` and goes back there when the last reference is gone.
public final class Tensor {
  public let shape: ImageShape
  private let buffer: AlignedBuffer<Float>
  private let pool: BufferPool

  fileprivate init(shape: ImageShape, buffer: AlignedBuffer<Float>, pool: BufferPool) {
    self.shape = shape
    self.buffer = buffer
    self.pool = pool
  }

  deinit { pool.recycle(buffer) }

  public var pointer: UnsafeMutablePointer<Float> { buffer.pointer }
  public var count: Int { shape.count }
}

/// Memory of one network: what a tensor gives back, the next one takes.
///
/// It gives what fits best among what is free: the second step of the same extents may still ask for
/// more, and from then on nothing is allocated. Not thread-safe: a network runs one pass at a time.
public final class BufferPool {
  private(set) var free: [AlignedBuffer<Float>] = []
  private let ledger: MemoryLedger?

  /// - Parameter ledger: Where tensors are entered instead of being allocated.
  public init(ledger: MemoryLedger? = nil) { self.ledger = ledger }

  /// Whether its tensors have no memory: there is nothing to read or write, only to count.
  public var isMeasuring: Bool { ledger != nil }

  /// Runs what reads or writes tensors, unless the pool only measures.
  public func compute(_ body: () throws -> Void) rethrows {
    if !isMeasuring { try body() }
  }

  /// Begins with free buffers of the sizes that those of another pool have.
  func adopt(freeBuffersOf other: BufferPool) throws {
    free = try other.free.map { try AlignedBuffer(count: $0.capacity, ledger: ledger) }
  }

  /// A tensor with undefined content.
  ///
  /// - Throws: `SKDError.outOfMemory`.
  public func tensor(_ shape: ImageShape) throws -> Tensor {
    Tensor(shape: shape, buffer: try buffer(shape.count), pool: self)
  }

  /// A tensor of feature vectors.
  public func vectors(_ count: Int, dimensions: Int) throws -> Tensor {
    try tensor(ImageShape(batch: count, height: 1, width: 1, channels: dimensions))
  }

  /// `count` floats of scratch memory.
  public func scratch(_ count: Int) throws -> Tensor { try vectors(1, dimensions: count) }

  /// The smallest free buffer that is large enough, or a new one.
  private func buffer(_ count: Int) throws -> AlignedBuffer<Float> {
    var best: Int?
    for (i, buffer) in free.enumerated()
    where buffer.capacity >= count && buffer.capacity < (best.map { free[$0].capacity } ?? .max) {
      best = i
    }
    if let best { return free.remove(at: best) }
    return try AlignedBuffer(count: count, ledger: ledger)
  }

  fileprivate func recycle(_ buffer: AlignedBuffer<Float>) { free.append(buffer) }
}
