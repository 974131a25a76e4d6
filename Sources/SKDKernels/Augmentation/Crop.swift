/// Cuts a square window out of an image that is surrounded by zeros, optionally mirrored.
///
///     output[y, x, c] = image[y + rowOffset, x' + columnOffset, c]   // 0 outside the image
///     x' = isFlipped ? side - 1 - x : x
///
/// Overwrites `output`; the operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - image: `[side, side, channels]`.
///   - rowOffset: First row of the window, `-side...side`: crop origin minus padding.
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
    let source = image + sourceRow * rowBytes + columnOffset * channels
    row.update(repeating: 0, count: firstColumn * channels)
    (row + firstColumn * channels).update(
      from: source + firstColumn * channels, count: (endColumn - firstColumn) * channels)
    (row + endColumn * channels).update(repeating: 0, count: (side - endColumn) * channels)
    if isFlipped { mirrorRow(row, pixels: side, channels: channels) }
  }
}

/// Reverses the order of a row's pixels, in place.
private func mirrorRow(_ row: UnsafeMutablePointer<UInt8>, pixels: Int, channels: Int) {
  for x in 0..<pixels / 2 {
    let (left, right) = (row + x * channels, row + (pixels - 1 - x) * channels)
    for c in 0..<channels { (left[c], right[c]) = (right[c], left[c]) }
  }
}
