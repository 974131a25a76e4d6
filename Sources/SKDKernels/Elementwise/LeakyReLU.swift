import SKDRuntime

/// output = input > 0 ? input : slope * input. ReLU is slope 0.
///
/// - Parameters:
///   - input: `count` elements.
///   - output: `count` elements; overwritten. May be the same memory as `input`.
/// - Complexity: O(count); allocates nothing.
public func leakyReLUForward(
  _ input: UnsafePointer<Float>, count: Int, slope: Float, output: UnsafeMutablePointer<Float>
) {
  forEachChunk(of: count) { start, end in
    let (x, y) = (input + start, output + start)
    forEachVector(end - start) { i, lanes in
      let value = x.vector(at: i, lanes: lanes)
      y.store((value * slope).replacing(with: value, where: value .> 0), at: i, lanes: lanes)
    }
  }
}

/// dInput = input > 0 ? dOutput : slope * dOutput.
///
/// - Parameters:
///   - input: `count` elements: the input of the forward pass or, if `slope` is not negative, its
///     output, which is positive where the input is.
///   - dOutput: `count` elements.
///   - dInput: `count` elements; overwritten. May be the same memory as `dOutput` or `input`.
/// - Complexity: O(count); allocates nothing.
public func leakyReLUBackward(
  _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>, count: Int, slope: Float,
  dInput: UnsafeMutablePointer<Float>
) {
  forEachChunk(of: count) { start, end in
    let (x, dy, dx) = (input + start, dOutput + start, dInput + start)
    forEachVector(end - start) { i, lanes in
      let gradient = dy.vector(at: i, lanes: lanes)
      let isPositive = x.vector(at: i, lanes: lanes) .> 0
      dx.store((gradient * slope).replacing(with: gradient, where: isPositive), at: i, lanes: lanes)
    }
  }
}
