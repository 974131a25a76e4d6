import SKDKernels
import SKDRuntime

/// Memory of one network: its tensors lie in one block, which serves passes of every extent.
///
/// A pass needs as much of the block as all passes of its extents do, whatever was computed before:
/// so the block is as large as the largest of them needs. It grows while no tensor lives. A tensor
/// that does not fit until then gets memory of its own. Not thread-safe: a network runs one pass at
/// a time.
public final class BufferPool {
  private let ledger: MemoryLedger?
  private var block: AlignedBuffer<Float>?
  private var arena = Arena()
  /// Floats that the block is to hold from its next use on.
  private(set) var extent = 0
  /// Changes when tensors are forgotten.
  private var generation = 0

  /// - Parameter ledger: Ledger in which the block is entered instead of being allocated.
  public init(ledger: MemoryLedger? = nil) { self.ledger = ledger }

  /// Whether its tensors have no memory: there is nothing to read or write, only to count.
  public var isMeasuring: Bool { ledger != nil }

  /// Runs work that reads or writes tensors, unless the pool only measures.
  public func compute(_ body: () throws -> Void) rethrows {
    if !isMeasuring { try body() }
  }

  /// Floats that the block holds.
  var capacity: Int { block?.capacity ?? 0 }

  /// Makes the block hold at least so many floats from its next use on.
  func expect(_ extent: Int) { self.extent = max(self.extent, extent) }

  /// Takes back the memory of all tensors: whoever still holds one must not use it any more.
  ///
  /// A pass that fails leaves tensors in the layers, which wait for the backward pass.
  public func forgetTensors() {
    arena = Arena()
    generation += 1
  }

  /// A tensor with undefined content.
  ///
  /// - Throws: `SKDError.outOfMemory`.
  public func tensor(_ shape: ImageShape) throws -> Tensor {
    if !isMeasuring, arena.isEmpty, extent > capacity { try hold(extent) }
    let range = arena.take(shape.count)
    do {
      let memory = try memory(of: range)
      expect(range.upperBound)
      return Tensor(
        shape: shape, at: memory.pointer, Tensor.Place(range: range, generation: generation),
        of: self, memory: memory.own)
    } catch {
      arena.giveBack(range)
      throw error
    }
  }

  /// The memory at a range of the block, or memory of its own if the block ends before it.
  private func memory(of range: Range<Int>) throws -> (
    pointer: UnsafeMutablePointer<Float>, own: AlignedBuffer<Float>?
  ) {
    if isMeasuring, range.upperBound > capacity { try hold(range.upperBound) }
    if let block, range.upperBound <= block.capacity {
      return (block.pointer + range.lowerBound, nil)
    }
    let own = try AlignedBuffer<Float>(count: range.count)
    return (own.pointer, own)
  }

  /// A tensor of feature vectors.
  public func vectors(_ count: Int, dimensions: Int) throws -> Tensor {
    try tensor(ImageShape(batch: count, height: 1, width: 1, channels: dimensions))
  }

  /// `count` floats of scratch memory.
  public func scratch(_ count: Int) throws -> Tensor { try vectors(1, dimensions: count) }

  func takeBack(_ place: Tensor.Place) {
    if place.generation == generation { arena.giveBack(place.range) }
  }

  /// The old block goes before the new one comes: together they might not fit.
  private func hold(_ extent: Int) throws {
    block = nil
    block = try AlignedBuffer(count: extent, ledger: ledger)
  }
}
