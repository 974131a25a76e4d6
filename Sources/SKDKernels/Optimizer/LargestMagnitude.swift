import SKDRuntime
import Synchronization

/// The largest magnitude of `count` values: infinite if one of them is, NaN if one is NaN, and 0 of
/// none.
///
/// Without their sign, floats are ordered like the integers of their bits, with infinity above all
/// numbers and NaN above infinity. Allocates nothing.
///
/// - Complexity: O(count), on all threads.
public func largestMagnitude(_ values: UnsafePointer<Float>, count: Int) -> Float {
  let largest = Atomic<UInt32>(0)
  let withoutSign = Vector.MaskStorage(repeating: .max)
  forEachChunk(of: count) { start, end in
    let values = values + start
    var most = Vector.MaskStorage(repeating: 0)
    forEachVector(end - start) { i, lanes in
      let bits = unsafeBitCast(values.vector(at: i, lanes: lanes), to: Vector.MaskStorage.self)
      most = pointwiseMax(most, bits & withoutSign)
    }
    largest.max(UInt32(most.max()), ordering: .relaxed)
  }
  return Float(bitPattern: largest.load(ordering: .relaxed))
}

/// Whether none of `count` values is NaN or infinite.
///
/// - Complexity: O(count), on all threads; allocates nothing.
public func allFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
  largestMagnitude(values, count: count).isFinite
}
