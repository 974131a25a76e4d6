/// Rotates square images counter-clockwise by a multiple of 90 degrees, as `np.rot90`.
///
///     rotated[n, i, j] = images[n, j, side - 1 - i]                  // one quarter turn
///     rotated[n, i, j] = images[n, side - 1 - i, side - 1 - j]       // two
///     rotated[n, i, j] = images[n, side - 1 - j, i]                  // three
///
/// - Parameters:
///   - images: `[batch, side, side, channels]`.
///   - quarterTurns: In 0...3.
///   - rotated: Same extent; overwritten. Must not overlap `images`.
/// - Complexity: O(batch · side^2 · channels); allocates nothing.
public func rotateImages(
  _ images: UnsafePointer<Float>, batch: Int, side: Int, channels: Int, quarterTurns: Int,
  into rotated: UnsafeMutablePointer<Float>
) {
  precondition((0...3).contains(quarterTurns))
  // The source of (i, j) is at first + i * down + j * right, in pixels.
  let (first, down, right): (Int, Int, Int) =
    switch quarterTurns {
    case 0: (0, side, 1)
    case 1: (side - 1, -1, side)
    case 2: (side * side - 1, -side, -1)
    default: (side * (side - 1), 1, -side)
    }
  forEachChunk(of: batch * side, size: chunkRows(rowElements: side * channels)) { start, end in
    for row in start..<end {
      let (image, i) = (row / side, row % side)
      let source = images + (image * side * side + first + i * down) * channels
      let target = rotated + row * side * channels
      if quarterTurns == 0 {
        target.update(from: source, count: side * channels)
      } else if channels == 3 {
        copyRGB(source, pixels: side, stride: 3 * right, to: target)
      } else if channels == 1 {
        for j in 0..<side { target[j] = source[j &* right] }
      } else {
        for j in 0..<side {
          let pixel = source + j &* right &* channels
          forEachVector(channels) { c, lanes in
            target.store(pixel.vector(at: c, lanes: lanes), at: j &* channels &+ c, lanes: lanes)
          }
        }
      }
    }
  }
}

/// Copies pixels of three floats that lie `stride` floats apart to a contiguous row.
///
/// Four floats are moved at once, and the next pixel overwrites the fourth. Only the first and the
/// last pixel of a row can be the last of all, where there is no fourth to read.
private func copyRGB(
  _ source: UnsafePointer<Float>, pixels: Int, stride: Int, to target: UnsafeMutablePointer<Float>
) {
  for c in 0..<3 { target[c] = source[c] }
  guard pixels > 1 else { return }
  for j in 1..<pixels - 1 {
    let pixel = UnsafeRawPointer(source + j &* stride).loadUnaligned(as: SIMD4<Float>.self)
    UnsafeMutableRawPointer(target + 3 &* j).storeBytes(of: pixel, as: SIMD4<Float>.self)
  }
  let last = pixels - 1
  for c in 0..<3 { target[3 * last + c] = source[last * stride + c] }
}
