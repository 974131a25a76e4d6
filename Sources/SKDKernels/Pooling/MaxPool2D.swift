import SKDRuntime

/// Maximum over 2x2 windows, stride 2; an odd last row or column is ignored.
///
///     output[n, i, j, c] = max over a, b in {0, 1} of input[n, 2i + a, 2j + b, c]
///
/// - Parameters:
///   - input: Array of extent `shape`.
///   - output: Array of extent `shape.pooled`; overwritten. Must not overlap `input`.
/// - Complexity: O(input); allocates nothing.
public func maxPool2DForward(
  _ input: UnsafePointer<Float>, shape: ImageShape, output: UnsafeMutablePointer<Float>
) {
  let (pooled, channels) = (shape.pooled, shape.channels)
  let rowElements = shape.width * channels
  guard pooled.count > 0 else { return }
  forEachChunk(of: pooled.batch * pooled.height, size: chunkRows(rowElements: 2 * rowElements)) {
    start, end in
    for row in start..<end {
      let (image, i) = (row / pooled.height, row % pooled.height)
      let top = input + (image * shape.height + 2 * i) * rowElements
      let bottom = top + rowElements
      for j in 0..<pooled.width {
        let (left, right) = (2 * j * channels, (2 * j + 1) * channels)
        let y = output + (row * pooled.width + j) * channels
        forEachVector(channels) { c, lanes in
          var best = top.vector(at: left &+ c, lanes: lanes)
          raise(&best, to: top.vector(at: right &+ c, lanes: lanes))
          raise(&best, to: bottom.vector(at: left &+ c, lanes: lanes))
          raise(&best, to: bottom.vector(at: right &+ c, lanes: lanes))
          y.store(best, at: c, lanes: lanes)
        }
      }
    }
  }
}

/// Replaces `best` by `candidate` where that is larger, and says where.
@inline(__always) @discardableResult
private func raise(_ best: inout Vector, to candidate: Vector) -> SIMDMask<Vector.MaskStorage> {
  let isLarger = candidate .> best
  best.replace(with: candidate, where: isLarger)
  return isLarger
}

/// Gradient of `maxPool2DForward`: each window's gradient goes to its first maximum in row-major
/// order, everything else is 0.
///
/// - Parameters:
///   - input: Array of extent `shape`, of the forward pass.
///   - dOutput: Array of extent `shape.pooled`.
///   - dInput: Array of extent `shape`; overwritten, an odd last row or column with 0. Must not overlap
///     `dOutput`; may be the same memory as `input`.
/// - Complexity: O(input); allocates nothing.
public func maxPool2DBackward(
  _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>, shape: ImageShape,
  dInput: UnsafeMutablePointer<Float>
) {
  let (pooled, channels) = (shape.pooled, shape.channels)
  let rowElements = shape.width * channels
  // The last pair of rows of an image of odd height is one row, which belongs to no window.
  let rowPairs = (shape.height + 1) / 2
  forEachChunk(of: shape.batch * rowPairs, size: chunkRows(rowElements: 2 * rowElements)) {
    start, end in
    for pair in start..<end {
      let (image, i) = (pair / rowPairs, pair % rowPairs)
      let offset = (image * shape.height + 2 * i) * rowElements
      if i == pooled.height {
        (dInput + offset).update(repeating: 0, count: rowElements)
        continue
      }
      distribute(
        dOutput + (image * pooled.height + i) * pooled.width * channels, top: input + offset,
        dTop: dInput + offset, windows: pooled.width, channels: channels, rowElements: rowElements)
      if shape.width > 2 * pooled.width {
        for row in 1...2 {
          (dInput + offset + row * rowElements - channels).update(repeating: 0, count: channels)
        }
      }
    }
  }
}

/// One row of windows of `maxPool2DBackward`.
private func distribute(
  _ dOutput: UnsafePointer<Float>, top: UnsafePointer<Float>, dTop: UnsafeMutablePointer<Float>,
  windows: Int, channels: Int, rowElements: Int
) {
  let (bottom, dBottom) = (top + rowElements, dTop + rowElements)
  let zero = Vector(repeating: 0)
  for j in 0..<windows {
    let (left, right) = (2 * j * channels, (2 * j + 1) * channels)
    forEachVector(channels) { c, lanes in
      let gradient = dOutput.vector(at: j &* channels &+ c, lanes: lanes)
      var best = top.vector(at: left &+ c, lanes: lanes)
      let second = raise(&best, to: top.vector(at: right &+ c, lanes: lanes))
      let third = raise(&best, to: bottom.vector(at: left &+ c, lanes: lanes))
      let fourth = raise(&best, to: bottom.vector(at: right &+ c, lanes: lanes))
      // The last of the four that raised the maximum holds it; the first if none did.
      let notLater = gradient.replacing(with: zero, where: fourth)
      let notLast = notLater.replacing(with: zero, where: third)
      dTop.store(notLast.replacing(with: zero, where: second), at: left &+ c, lanes: lanes)
      dTop.store(zero.replacing(with: notLast, where: second), at: right &+ c, lanes: lanes)
      dBottom.store(zero.replacing(with: notLater, where: third), at: left &+ c, lanes: lanes)
      dBottom.store(zero.replacing(with: gradient, where: fourth), at: right &+ c, lanes: lanes)
    }
  }
}
