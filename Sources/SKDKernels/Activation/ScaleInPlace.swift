import SKDRuntime

/// target *= factor
///
/// - Parameter target: `count` elements; updated.
/// - Complexity: O(count); allocates nothing.
public func scaleInPlace(_ target: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
  forEachChunk(of: count) { start, end in
    let values = target + start
    forEachVector(end - start) { i, lanes in
      values.store(values.vector(at: i, lanes: lanes) * factor, at: i, lanes: lanes)
    }
  }
}
