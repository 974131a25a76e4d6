import SKDRuntime
import Synchronization

/// Steps over which DropBlock's rate rises to its final value (Ghiasi et al. 2018, as in SKD).
private let dropBlockRampSteps = 40_000.0

/// DropBlock's probability of a square's corner.
///
///     keep = max(1 - rate * step / 40000, 1 - rate)
///     gamma = (1 - keep) / blockSize^2 * side^2 / (side - blockSize + 1)^2
///
/// - Parameters:
///   - rate: Share of the entries to drop in the end, in 0...1.
///   - blockSize: Side of a square; in 1...side.
///   - side: Side of the image.
///   - step: Training steps seen; at least 0.
/// - Returns: In 0...1.
public func dropBlockGamma(rate: Double, blockSize: Int, side: Int, step: Int) -> Double {
  precondition(blockSize >= 1 && blockSize <= side && step >= 0)
  let keep = max(1 - rate * Double(step) / dropBlockRampSteps, 1 - rate)
  let (block, side, corners) = (Double(blockSize), Double(side), Double(side - blockSize + 1))
  return min((1 - keep) / (block * block) * (side * side) / (corners * corners), 1)
}

/// Draws the top left corners of the squares that DropBlock drops.
///
/// - Parameters:
///   - corners: `[batch, height - blockSize + 1, width - blockSize + 1, channels]`; overwritten
///     with 1 (a corner, probability `gamma`) or 0.
///   - shape: Extent of the images; height and width at least `blockSize`.
///   - random: A corner is decided by the word of this stream at its position in memory order.
///   - firstImage: Position of the images in a larger batch, of which they are a part.
/// - Complexity: O(corners); allocates nothing.
public func dropBlockCorners(
  corners: UnsafeMutablePointer<UInt8>, shape: ImageShape, blockSize: Int, gamma: Double,
  random: CounterRandom, firstImage: Int = 0
) {
  let shape = cornerShape(of: shape, blockSize: blockSize)
  fillBernoulli(
    corners, count: shape.count, probability: gamma, random: random,
    from: firstImage * shape.height * shape.width * shape.channels)
}

/// Corners that `dropBlockCorners` draws for each image.
public func dropBlockCornerCount(shape: ImageShape, blockSize: Int) -> Int {
  let shape = cornerShape(of: shape, blockSize: blockSize)
  return shape.height * shape.width * shape.channels
}

/// Marks which entries are outside every square: kept[n, i, j, c] = 0 if a corner lies at
/// [n, i - di, j - dj, c] with di, dj in 0..<blockSize, else 1.
///
/// - Parameters:
///   - corners: As of `dropBlockCorners`; anything but 0 is a corner.
///   - kept: Array of extent `shape`; overwritten.
/// - Returns: Number of entries that are kept.
/// - Complexity: O(kept + squares · blockSize^2); allocates nothing.
public func dropBlockMask(
  corners: UnsafePointer<UInt8>, shape: ImageShape, blockSize: Int,
  kept: UnsafeMutablePointer<UInt8>
) -> Int {
  guard shape.count > 0 else { return 0 }
  let cornerShape = cornerShape(of: shape, blockSize: blockSize)
  let (cornerCount, keptCount) = (cornerShape.count / shape.batch, shape.count / shape.batch)
  let total = Atomic<Int>(0)
  forEachChunk(of: shape.batch, size: chunkRows(rowElements: keptCount)) { start, end in
    for image in start..<end {
      let (corners, kept) = (corners + image * cornerCount, kept + image * keptCount)
      kept.update(repeating: 1, count: keptCount)
      forEachNonzero(corners, count: cornerCount) { corner in
        let (position, channel) = (corner / shape.channels, corner % shape.channels)
        let (i, j) = (position / cornerShape.width, position % cornerShape.width)
        for di in 0..<blockSize {
          for dj in 0..<blockSize {
            kept[((i + di) * shape.width + j + dj) * shape.channels + channel] = 0
          }
        }
      }
    }
    // An integer: the order of the chunks does not matter.
    let sum = sumOfBits(kept + start * keptCount, count: (end - start) * keptCount)
    total.add(sum, ordering: .relaxed)
  }
  return total.load(ordering: .relaxed)
}

/// Calls `body` with the position of every byte that is not 0; corners are rare.
@inline(__always)
private func forEachNonzero(
  _ bytes: UnsafePointer<UInt8>, count: Int, _ body: (_ position: Int) -> Void
) {
  var first = 0
  while first &+ 8 <= count {
    if UnsafeRawPointer(bytes + first).loadUnaligned(as: UInt64.self) != 0 {
      for i in first..<first &+ 8 where bytes[i] != 0 { body(i) }
    }
    first &+= 8
  }
  for i in first..<count where bytes[i] != 0 { body(i) }
}

/// Sum of bytes that are 0 or 1.
private func sumOfBits(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int {
  var (sum, first) = (0, 0)
  while first &+ 64 <= count {
    var lanes = SIMD64<UInt8>(repeating: 0)
    for _ in 0..<min(255, (count &- first) / 64) {  // no lane overflows
      lanes &+= UnsafeRawPointer(bytes + first).loadUnaligned(as: SIMD64<UInt8>.self)
      first &+= 64
    }
    sum &+= Int(SIMD64<UInt16>(truncatingIfNeeded: lanes).wrappedSum())
  }
  for i in first..<count { sum &+= Int(bytes[i]) }
  return sum
}

/// output = kept ? scale * input : 0. Also its own gradient, of dOutput, for the scale counts as
/// constant.
///
/// - Parameters:
///   - input: `count` elements.
///   - kept: `count` elements, 0 or 1.
///   - scale: See `dropBlockScale`.
///   - output: `count` elements; overwritten. May be the same memory as `input`.
/// - Complexity: O(count); allocates nothing.
public func dropBlockApply(
  _ input: UnsafePointer<Float>, kept: UnsafePointer<UInt8>, scale: Float, count: Int,
  output: UnsafeMutablePointer<Float>
) {
  scaleKept(input, kept: kept, count: count, scale: scale, output: output)
}

/// The factor that keeps the mean: count / keptCount over the whole batch, or 0 if nothing is kept.
public func dropBlockScale(count: Int, keptCount: Int) -> Float {
  keptCount > 0 ? Float(Double(count) / Double(keptCount)) : 0
}

/// Extent of the field of corners: every place where a whole square fits.
private func cornerShape(of shape: ImageShape, blockSize: Int) -> ImageShape {
  precondition(blockSize >= 1 && blockSize <= min(shape.height, shape.width))
  return ImageShape(
    batch: shape.batch, height: shape.height - blockSize + 1, width: shape.width - blockSize + 1,
    channels: shape.channels)
}
