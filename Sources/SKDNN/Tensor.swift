import SKDKernels
import SKDRuntime

/// A batch of images, or of feature vectors (height and width 1), in NHWC order.
///
/// Its memory belongs to a `BufferPool` and goes back there when the last reference is gone.
public final class Tensor {
  /// Position of a tensor in the block of its pool.
  struct Place {
    let range: Range<Int>
    let generation: Int
  }

  public let shape: ImageShape
  public let pointer: UnsafeMutablePointer<Float>
  private let place: Place
  private let pool: BufferPool
  /// Nil if the tensor lies in the pool's block.
  private let memory: AlignedBuffer<Float>?

  init(
    shape: ImageShape, at pointer: UnsafeMutablePointer<Float>, _ place: Place,
    of pool: BufferPool, memory: AlignedBuffer<Float>? = nil
  ) {
    (self.shape, self.pointer, self.place) = (shape, pointer, place)
    (self.pool, self.memory) = (pool, memory)
  }

  deinit { pool.takeBack(place) }

  public var count: Int { shape.count }
}
