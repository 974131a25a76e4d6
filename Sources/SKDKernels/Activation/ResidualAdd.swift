import SKDRuntime

/// output = leaky(a + b), leaky(x) = x > 0 ? x : slope * x; slope 1 for a plain sum.
///
/// Both gradients are `leakyReLUBackward` of the output.
///
/// - Parameters:
///   - a, b: `count` elements each.
///   - output: `count` elements; overwritten. May be the same memory as `a` or `b`.
/// - Complexity: O(count); allocates nothing.
public func residualAddForward(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, slope: Float,
  output: UnsafeMutablePointer<Float>
) {
  forEachChunk(of: count) { start, end in
    let (a, b, y) = (a + start, b + start, output + start)
    forEachVector(end - start) { i, lanes in
      let sum = a.vector(at: i, lanes: lanes) + b.vector(at: i, lanes: lanes)
      y.store((sum * slope).replacing(with: sum, where: sum .> 0), at: i, lanes: lanes)
    }
  }
}

/// target += addend.
///
/// - Parameters:
///   - target: `count` elements; added to. May be the same memory as `addend`.
///   - addend: `count` elements.
/// - Complexity: O(count); allocates nothing.
public func addInPlace(
  _ target: UnsafeMutablePointer<Float>, _ addend: UnsafePointer<Float>, count: Int
) {
  forEachChunk(of: count) { start, end in
    let (target, addend) = (target + start, addend + start)
    forEachVector(end - start) { i, lanes in
      let sum = target.vector(at: i, lanes: lanes) + addend.vector(at: i, lanes: lanes)
      target.store(sum, at: i, lanes: lanes)
    }
  }
}
