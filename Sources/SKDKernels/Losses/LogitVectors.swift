// Rows of logits in vectors of eight doubles, the last one filled up.

/// Covers `0..<count` by vectors of eight.
@inline(__always)
func forEachLogitVector(_ count: Int, _ body: (_ start: Int, _ lanes: Int) -> Void) {
  forEachVector(count, size: DoubleVector.scalarCount, body)
}

extension UnsafePointer<Float> {
  /// Eight floats from `offset` on, widened; lanes beyond `lanes` are `padding`.
  @inline(__always)
  func doubles(at offset: Int, lanes: Int, padding: Double) -> DoubleVector {
    let values = DoubleVector(vector(at: offset, lanes: lanes, as: SIMD8<Float>.self))
    if lanes == DoubleVector.scalarCount { return values }
    return values.replacing(with: padding, where: laneNumbers .>= Double(lanes))
  }

  /// The largest of the first `count` floats; a NaN is passed over unless it is the first.
  @inline(__always)
  func largest(_ count: Int) -> Double {
    var maximum = DoubleVector(repeating: Double(self[0]))
    forEachLogitVector(count) { start, lanes in
      let values = doubles(at: start, lanes: lanes, padding: -.infinity)
      maximum.replace(with: values, where: values .> maximum)
    }
    return maximum.max()
  }
}

extension UnsafeMutablePointer<Float> {
  /// Rounds the first `lanes` of eight doubles and writes (`=`) them from `offset` on, or adds (`+=`).
  @inline(__always)
  func round(_ values: DoubleVector, at offset: Int, lanes: Int, accumulates: Bool) {
    var entries = SIMD8<Float>(values)
    if accumulates { entries += vector(at: offset, lanes: lanes, as: SIMD8<Float>.self) }
    store(entries, at: offset, lanes: lanes)
  }
}

/// 1 in the lane of `label`, if it is among the eight classes from `start` on; 0 elsewhere.
@inline(__always)
func oneHot(_ label: Int, from start: Int) -> DoubleVector {
  DoubleVector().replacing(with: 1, where: laneNumbers .== Double(label &- start))
}

/// 0 in the lanes from `lanes` on.
@inline(__always)
func firstLanes(_ lanes: Int, of values: DoubleVector) -> DoubleVector {
  lanes == DoubleVector.scalarCount
    ? values : values.replacing(with: 0, where: laneNumbers .>= Double(lanes))
}

@inline(__always)
private var laneNumbers: DoubleVector { DoubleVector(0, 1, 2, 3, 4, 5, 6, 7) }
