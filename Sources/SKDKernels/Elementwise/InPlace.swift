import SKDRuntime

/// target += scale · addend.
///
/// - Parameters:
///   - target: `count` elements; added to. May be the same memory as `addend`.
///   - addend: `count` elements.
///   - scale: Factor of the addend; with 1, the result equals plain addition to the bit.
/// - Complexity: O(count); allocates nothing.
public func addInPlace(
  _ target: UnsafeMutablePointer<Float>, _ addend: UnsafePointer<Float>, scale: Float = 1,
  count: Int
) {
  forEachChunk(of: count) { start, end in
    let (target, addend) = (target + start, addend + start)
    forEachVector(end - start) { i, lanes in
      let sum = target.vector(at: i, lanes: lanes) + scale * addend.vector(at: i, lanes: lanes)
      target.store(sum, at: i, lanes: lanes)
    }
  }
}

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
