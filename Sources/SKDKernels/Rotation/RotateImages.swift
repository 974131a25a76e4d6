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
      for j in 0..<side {
        for channel in 0..<channels {
          target[j * channels + channel] = source[j * right * channels + channel]
        }
      }
    }
  }
}
