import SKDRuntime

/// Draws which entries dropout keeps: kept[i] = 0 with probability `rate`, else 1.
///
/// - Parameters:
///   - kept: `count` elements; overwritten.
///   - rate: In 0..<1.
///   - random: Entry i is decided by word first + i of this stream.
///   - first: Position of the entries in a larger array, of which they are a part.
/// - Complexity: O(count); allocates nothing.
public func dropoutMask(
  kept: UnsafeMutablePointer<UInt8>, count: Int, rate: Float, random: CounterRandom,
  from first: Int = 0
) {
  precondition((0..<1).contains(rate))
  fillBernoulli(
    kept, count: count, probability: Double(rate), inverted: true, random: random, from: first)
}

/// output = kept ? input / (1 - rate) : 0. Also its own gradient, of dOutput.
///
/// - Parameters:
///   - input: `count` elements.
///   - kept: `count` elements, 0 or 1.
///   - rate: In 0..<1.
///   - output: `count` elements; overwritten. May be the same memory as `input`.
/// - Complexity: O(count); allocates nothing.
public func dropoutApply(
  _ input: UnsafePointer<Float>, kept: UnsafePointer<UInt8>, count: Int, rate: Float,
  output: UnsafeMutablePointer<Float>
) {
  precondition((0..<1).contains(rate))
  scaleKept(input, kept: kept, count: count, scale: Float(1 / (1 - Double(rate))), output: output)
}

/// output = kept ? scale * input : 0; may be in place.
func scaleKept(
  _ input: UnsafePointer<Float>, kept: UnsafePointer<UInt8>, count: Int, scale: Float,
  output: UnsafeMutablePointer<Float>
) {
  let zero = Vector(repeating: 0)
  forEachChunk(of: count) { start, end in
    let (x, y, kept) = (input + start, output + start, kept + start)
    forEachVector(end - start) { i, lanes in
      let isKept = lanesOfBytes(kept + i, lanes: lanes) .> 0
      y.store(
        zero.replacing(with: x.vector(at: i, lanes: lanes) * scale, where: isKept), at: i,
        lanes: lanes)
    }
  }
}

/// The first `lanes` bytes, one a lane; lanes beyond are 0.
@inline(__always)
private func lanesOfBytes(_ bytes: UnsafePointer<UInt8>, lanes: Int) -> Vector {
  var vector = Vector(repeating: 0)
  if lanes == Vector.scalarCount {
    for lane in 0..<Vector.scalarCount { vector[lane] = Float(bytes[lane]) }
  } else {
    for lane in 0..<lanes { vector[lane] = Float(bytes[lane]) }
  }
  return vector
}
