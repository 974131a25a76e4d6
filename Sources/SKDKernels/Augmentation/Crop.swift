/// Cuts a square window out of an image that is surrounded by zeros, optionally mirrored.
///
///     output[y, x, c] = image[y + rowOffset, x' + columnOffset, c]   // 0 outside the image
///     x' = isFlipped ? side - 1 - x : x
///
/// Overwrites `output`; the operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - image: `[side, side, channels]`.
///   - rowOffset: First row of the window, of any sign: crop origin minus padding.
///   - columnOffset: First column of the window, likewise.
///   - output: Same extent as `image`.
public func cropImage(
  _ image: UnsafePointer<UInt8>, side: Int, channels: Int, rowOffset: Int, columnOffset: Int,
  isFlipped: Bool, into output: UnsafeMutablePointer<UInt8>
) {
  let rowBytes = side * channels
  let firstColumn = min(max(-columnOffset, 0), side)  // of the window, inside the image
  let endColumn = max(min(side - columnOffset, side), firstColumn)
  for y in 0..<side {
    let row = output + y * rowBytes
    let sourceRow = y + rowOffset
    guard sourceRow >= 0, sourceRow < side, firstColumn < endColumn else {
      row.update(repeating: 0, count: rowBytes)
      continue
    }
    let source = image + (sourceRow * side + columnOffset + firstColumn) * channels
    let count = endColumn - firstColumn
    let (before, after) =
      isFlipped ? (side - endColumn, firstColumn) : (firstColumn, side - endColumn)
    let inside = row + before * channels
    row.update(repeating: 0, count: before * channels)
    (inside + count * channels).update(repeating: 0, count: after * channels)
    if isFlipped {
      copyMirrored(source, pixels: count, channels: channels, to: inside)
    } else {
      inside.update(from: source, count: count * channels)
    }
  }
}

/// Copies a row of pixels in reverse order.
private func copyMirrored(
  _ source: UnsafePointer<UInt8>, pixels: Int, channels: Int, to target: UnsafeMutablePointer<UInt8>
) {
  let blockPixels = ByteBlock.pixelCount
  if channels == 3, pixels >= blockPixels {
    var x = 0
    while x < pixels {
      // The last block overlaps the one before and writes the same there.
      x = min(x, pixels &- blockPixels)
      let block = ByteBlock(source + 3 &* (pixels &- blockPixels &- x))
      block.mirrored.store(target + 3 &* x)
      x &+= blockPixels
    }
    return
  }
  for x in 0..<pixels {
    for c in 0..<channels { target[x * channels + c] = source[(pixels - 1 - x) * channels + c] }
  }
}
