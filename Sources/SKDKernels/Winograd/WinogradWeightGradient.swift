import SKDRuntime

/// The gradient of the weights of a 3x3 convolution, at the points of Winograd's F(4x4, 3x3): at
/// each point, the transformed inputs transposed times the transformed gradients.
///
/// There are three schedules. With *few tiles*, all are transformed first, and each worker then
/// carries the products of 32x32 channels from the points back to the kernels within its cache. With
/// *few channels*, the tiles are split into parts: a worker takes a few tiles of its part at a time
/// from the image to the products, within its cache, and the sums of the parts are added up last. In
/// between, chunks of tiles are transformed one after another, and the products at all points are
/// added up in memory.
struct WinogradWeightGradient {
  private let geometry: Conv2DGeometry
  private let weights: WinogradWeights
  private let tiling: WinogradTiling

  private var inputs: Int { weights.inputs }
  private var outputs: Int { weights.outputs }
  private var inputBlockCount: Int { ceilDivide(inputs, blockWidth) }
  private var outputBlockCount: Int { ceilDivide(outputs, blockWidth) }

  init(_ geometry: Conv2DGeometry) {
    self.geometry = geometry
    weights = WinogradWeights(
      inputs: geometry.input.channels, outputs: geometry.outputChannels, isTransposed: false)
    tiling = WinogradTiling(geometry.output)
  }

  // MARK: Schedule

  private enum Schedule {
    case fewTiles
    case fewChannels
    case chunks
  }

  private static let mostTiles = 160
  private static let mostWeights = 1 << 20  // bytes at the points, of a part
  private static let parts = 16
  private static let tilesPerStep = 56
  private static let tilesPerLargeChunk = 128

  private var schedule: Schedule {
    if tiling.tileCount <= Self.mostTiles { return .fewTiles }
    return weights.count * 4 <= Self.mostWeights ? .fewChannels : .chunks
  }

  /// Tiles whose values at the points are in memory at a time, for each part.
  private var tilesPerChunk: Int {
    switch schedule {
    case .fewTiles: return tiling.tileCount
    case .fewChannels: return Self.tilesPerStep
    case .chunks: return Self.tilesPerLargeChunk
    }
  }

  private func planeStride(_ channels: Int) -> Int {
    tilesPerChunk * wholeBlocks(channels) + 16
  }
  private var blockStride: Int { tilesPerChunk * blockWidth }
  private var inputCount: Int { Winograd.planes * planeStride(inputs) }
  private var pointCount: Int { inputCount + Winograd.planes * planeStride(outputs) }

  /// Floats of the products of 32x32 channels, `[36][32][32]`.
  private static let blockPlaneStride = blockWidth * blockWidth + 16
  private static let blockCount = Winograd.planes * blockPlaneStride

  /// Floats of scratch with at most `workers` threads.
  func scratchCount(workers: Int) -> Int {
    switch schedule {
    case .fewTiles: return pointCount + workers * Self.blockCount
    case .fewChannels: return workers * pointCount + Self.parts * weights.count
    case .chunks: return pointCount + weights.count
    }
  }

  // MARK: Gradient

  /// The values of some tiles at the points.
  private struct Points {
    let input: WinogradPlanes<UnsafeMutablePointer<Float>>
    let output: WinogradPlanes<UnsafeMutablePointer<Float>>
    /// Tiles in the planes of each kind.
    var counts = SIMD4<Int>()
  }

  private func points(at memory: UnsafeMutablePointer<Float>) -> Points {
    Points(
      input: WinogradPlanes(
        base: memory, planeStride: planeStride(inputs), blockStride: blockStride),
      output: WinogradPlanes(
        base: memory + inputCount, planeStride: planeStride(outputs), blockStride: blockStride))
  }

  /// dWeight, in the storage order of the weights. Writes (`=`).
  ///
  /// - Parameter normalization: Norm of the input, applied as it is read.
  func gradient(
    _ input: UnsafePointer<Float>, normalization: ChannelNormalization?,
    _ dOutput: UnsafePointer<Float>, dWeight: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    func toPoints(_ tile: Int, after first: Int, into points: Points) {
      tiling.inputToPoints(
        tile, after: first, of: input, geometry.input, padding: geometry.padding, normalization,
        into: points.input)
      tiling.gradientToPoints(
        tile, after: first, of: dOutput, geometry.output, into: points.output)
    }
    guard tiling.tileCount > 0 else {
      return dWeight.update(repeating: 0, count: geometry.weightCount)
    }
    switch schedule {
    case .fewTiles:
      var points = points(at: scratch)
      points.counts = counts(0..<tiling.tileCount)
      tiling.forEachTile(0..<tiling.tileCount, workers: workers) { tile in
        toPoints(tile, after: 0, into: points)
      }
      gradientFromAllTiles(
        points, products: scratch + pointCount, dWeight: dWeight, workers: workers)
    case .fewChannels:
      let sums = scratch + workers * pointCount
      WorkerPool.shared.forEach(Self.parts, workers: workers) { part, worker in
        let end = (part + 1) * tiling.tileCount / Self.parts
        let start = part * tiling.tileCount / Self.parts
        var points = points(at: scratch + worker * pointCount)
        for first in stride(from: start, to: end, by: tilesPerChunk) {
          let tiles = first..<min(first + tilesPerChunk, end)
          points.counts = counts(tiles)
          for tile in tiles { toPoints(tile, after: first, into: points) }
          for plane in 0..<Winograd.planes {
            multiplyPlane(
              points, plane: plane, outputBlocks: 0..<outputBlockCount,
              into: sums + part * weights.count, accumulates: first > start)
          }
        }
      }
      gradientFromPoints(sums, parts: Self.parts, into: dWeight, workers: workers)
    case .chunks:
      var points = points(at: scratch)
      let sums = scratch + pointCount
      for first in stride(from: 0, to: tiling.tileCount, by: tilesPerChunk) {
        let tiles = first..<min(first + tilesPerChunk, tiling.tileCount)
        points.counts = counts(tiles)
        let chunk = points
        tiling.forEachTile(tiles, workers: workers) { tile in
          toPoints(tile, after: first, into: chunk)
        }
        WorkerPool.shared.forEach(Winograd.planes * outputBlockCount, workers: workers) { item, _ in
          let (plane, block) = item.quotientAndRemainder(dividingBy: outputBlockCount)
          multiplyPlane(
            chunk, plane: plane, outputBlocks: block..<block + 1, into: sums,
            accumulates: first > 0)
        }
      }
      gradientFromPoints(sums, parts: 1, into: dWeight, workers: workers)
    }
  }

  private func counts(_ tiles: Range<Int>) -> SIMD4<Int> {
    tiling.slotCounts(before: tiles.upperBound) &- tiling.slotCounts(before: tiles.lowerBound)
  }

  /// The products of all inputs and some outputs at one point, `[outputs / 32][inputs][32]`.
  private func multiplyPlane(
    _ points: Points, plane: Int, outputBlocks: Range<Int>,
    into products: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    for outputBlock in outputBlocks {
      for inputBlock in 0..<inputBlockCount {
        multiplyBlocks(
          points, plane: plane, inputBlock: inputBlock, outputBlock: outputBlock,
          into: products + plane * weights.planeStride
            + (outputBlock * inputs + inputBlock * blockWidth) * blockWidth,
          accumulates: accumulates)
      }
    }
  }

  /// The products of up to 32 inputs and outputs at one point, `[32][32]`.
  private func multiplyBlocks(
    _ points: Points, plane: Int, inputBlock: Int, outputBlock: Int,
    into products: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    multiplyTransposedBlock(
      points.input.base + plane * points.input.planeStride + inputBlock * blockStride,
      rowCount: min(blockWidth, inputs - inputBlock * blockWidth),
      points.output.base + plane * points.output.planeStride + outputBlock * blockStride,
      columnCount: min(blockWidth, outputs - outputBlock * blockWidth),
      depth: points.counts[tiling.kind(ofPlane: plane)], into: products, accumulates: accumulates)
  }

  /// The gradient of all weights from the points of all tiles, 32x32 channels at a time.
  private func gradientFromAllTiles(
    _ points: Points, products: UnsafeMutablePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>, workers: Int
  ) {
    WorkerPool.shared.forEach(outputBlockCount * inputBlockCount, workers: workers) {
      item, worker in
      let (outputBlock, inputBlock) = item.quotientAndRemainder(dividingBy: inputBlockCount)
      let products = products + worker * Self.blockCount
      for plane in 0..<Winograd.planes {
        multiplyBlocks(
          points, plane: plane, inputBlock: inputBlock, outputBlock: outputBlock,
          into: products + plane * Self.blockPlaneStride, accumulates: false)
      }
      weights.gradientFromPoints(
        products, parts: 1, planeStride: Self.blockPlaneStride, inputBlock: inputBlock,
        outputBlock: outputBlock, into: dWeight)
    }
  }

  private func gradientFromPoints(
    _ products: UnsafePointer<Float>, parts: Int, into dWeight: UnsafeMutablePointer<Float>,
    workers: Int
  ) {
    WorkerPool.shared.forEach(outputBlockCount * inputBlockCount, workers: workers) { item, _ in
      let (outputBlock, inputBlock) = item.quotientAndRemainder(dividingBy: inputBlockCount)
      weights.gradientFromPoints(
        products + (outputBlock * inputs + inputBlock * blockWidth) * blockWidth, parts: parts,
        planeStride: weights.planeStride, inputBlock: inputBlock, outputBlock: outputBlock,
        into: dWeight)
    }
  }
}
