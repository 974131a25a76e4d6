import SKDRuntime
import Synchronization

/// Whether none of `count` values is NaN or infinite.
///
/// A value is finite exactly if its product with zero is zero. Allocates nothing.
///
/// - Complexity: O(count), on all threads.
public func allFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
  let isFinite = Atomic<Bool>(true)
  forEachChunk(of: count) { start, end in
    let values = values + start
    var sum = SIMD16<Float>(repeating: 0)
    forEachVector(end - start) { i, lanes in sum += values.vector(at: i, lanes: lanes) * 0 }
    if sum != SIMD16(repeating: 0) { isFinite.store(false, ordering: .relaxed) }
  }
  return isFinite.load(ordering: .relaxed)
}
