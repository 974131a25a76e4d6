import SKDRuntime

/// The gradient of the weights of a 3x3 convolution, at the points of Winograd's F(4x4, 3x3): at
/// each point, the transformed inputs transposed times the transformed gradients.
///
/// With few tiles, all are transformed first, and each worker then carries the products of 32x32
/// channels from the points back to the kernels within its cache. With many, chunks of tiles are
/// transformed one after another, and the products at all points are added up in memory.
struct WinogradWeightGradient {
  private let geometry: Conv2DGeometry
  private let weights: WinogradWeights
  private let tiling: WinogradTiling

  private var inputs: Int { weights.inputs }
  private var outputs: Int { weights.outputs }

  init(_ geometry: Conv2DGeometry) {
    self.geometry = geometry
    weights = WinogradWeights(
      inputs: geometry.input.channels, outputs: geometry.outputChannels, isTransposed: false)
    tiling = WinogradTiling(geometry.input)
  }

  // MARK: Schedule

  private static let mostTilesAtOnce = 256
  private static let tilesPerPart = 512

  private var isAtOnce: Bool { tiling.tileCount <= Self.mostTilesAtOnce }
  private var tilesPerChunk: Int { min(tiling.tileCount, Self.tilesPerPart) }
  private func planeStride(_ channels: Int) -> Int { tilesPerChunk * channels + 16 }

  /// Floats of products of one worker, `[36][32][32]`, or of all, `[36][outputs / 32][inputs][32]`.
  private static let productStride = blockWidth * blockWidth + 16
  private static let productCount = Winograd.planes * productStride
  private var blockStride: Int { tilesPerChunk * blockWidth }

  /// Floats of scratch with at most `workers` threads.
  func scratchCount(workers: Int) -> Int {
    let points = Winograd.planes * (planeStride(inputs) + planeStride(outputs))
    return points + (isAtOnce ? workers * Self.productCount : weights.count)
  }

  // MARK: Gradient

  /// dWeight, in the storage order of the weights. Writes (`=`).
  ///
  /// - Parameter normalization: Of the input, as it is read.
  func gradient(
    _ input: UnsafePointer<Float>, normalization: ChannelNormalization?,
    _ dOutput: UnsafePointer<Float>, dWeight: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    guard tiling.tileCount > 0 else {
      return dWeight.update(repeating: 0, count: geometry.weightCount)
    }
    let inputPoints = WinogradPlanes(
      base: scratch, planeStride: planeStride(inputs), blockStride: blockStride)
    let outputPoints = WinogradPlanes(
      base: scratch + Winograd.planes * planeStride(inputs), planeStride: planeStride(outputs),
      blockStride: blockStride)
    let products = outputPoints.base + Winograd.planes * planeStride(outputs)
    for first in stride(from: 0, to: tiling.tileCount, by: tilesPerChunk) {
      let tiles = first..<min(first + tilesPerChunk, tiling.tileCount)
      WorkerPool.shared.forEach(tiles.count, workers: workers) { i, _ in
        tiling.transformInput(
          first + i, after: first, of: input, geometry.input, normalization, into: inputPoints)
        tiling.transformGradient(
          first + i, after: first, of: dOutput, geometry.output, into: outputPoints)
      }
      if isAtOnce {
        finish(
          tiles, inputPoints, outputPoints, products: products, dWeight: dWeight, workers: workers)
      } else {
        accumulate(tiles, inputPoints, outputPoints, into: products, workers: workers)
      }
    }
    if !isAtOnce { inverse(products, into: dWeight, workers: workers) }
  }

  /// The gradient of all weights from the points of all tiles, 32x32 channels at a time.
  private func finish(
    _ tiles: Range<Int>, _ inputPoints: WinogradPlanes<UnsafeMutablePointer<Float>>,
    _ outputPoints: WinogradPlanes<UnsafeMutablePointer<Float>>,
    products: UnsafeMutablePointer<Float>, dWeight: UnsafeMutablePointer<Float>, workers: Int
  ) {
    let inputBlocks = inputs / blockWidth
    WorkerPool.shared.forEach(outputs / blockWidth * inputBlocks, workers: workers) {
      item, worker in
      let (outputBlock, inputBlock) = item.quotientAndRemainder(dividingBy: inputBlocks)
      let products = products + worker * Self.productCount
      for plane in 0..<Winograd.planes {
        multiply(
          tiles, plane, inputPoints, inputBlock, outputPoints, outputBlock,
          into: products + plane * Self.productStride, accumulates: false)
      }
      weights.inverse(
        products, planeStride: Self.productStride, inputBlock: inputBlock,
        outputBlock: outputBlock, into: dWeight)
    }
  }

  /// Adds the products of a chunk of tiles to those of the chunks before.
  private func accumulate(
    _ tiles: Range<Int>, _ inputPoints: WinogradPlanes<UnsafeMutablePointer<Float>>,
    _ outputPoints: WinogradPlanes<UnsafeMutablePointer<Float>>,
    into products: UnsafeMutablePointer<Float>, workers: Int
  ) {
    let outputBlocks = outputs / blockWidth
    WorkerPool.shared.forEach(Winograd.planes * outputBlocks, workers: workers) { item, _ in
      let (plane, outputBlock) = item.quotientAndRemainder(dividingBy: outputBlocks)
      for inputBlock in 0..<inputs / blockWidth {
        multiply(
          tiles, plane, inputPoints, inputBlock, outputPoints, outputBlock,
          into: products + plane * weights.planeStride
            + (outputBlock * inputs + inputBlock * blockWidth) * blockWidth,
          accumulates: tiles.lowerBound > 0)
      }
    }
  }

  private func inverse(
    _ products: UnsafePointer<Float>, into dWeight: UnsafeMutablePointer<Float>, workers: Int
  ) {
    let inputBlocks = inputs / blockWidth
    WorkerPool.shared.forEach(outputs / blockWidth * inputBlocks, workers: workers) { item, _ in
      let (outputBlock, inputBlock) = item.quotientAndRemainder(dividingBy: inputBlocks)
      weights.inverse(
        products + (outputBlock * inputs + inputBlock * blockWidth) * blockWidth,
        planeStride: weights.planeStride, inputBlock: inputBlock, outputBlock: outputBlock,
        into: dWeight)
    }
  }

  private func multiply(
    _ tiles: Range<Int>, _ plane: Int, _ inputPoints: WinogradPlanes<UnsafeMutablePointer<Float>>,
    _ inputBlock: Int, _ outputPoints: WinogradPlanes<UnsafeMutablePointer<Float>>,
    _ outputBlock: Int, into products: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    let counts = tiling.ranks(of: tiles.upperBound) &- tiling.ranks(of: tiles.lowerBound)
    multiplyTransposedBlock(
      inputPoints.base + plane * inputPoints.planeStride + inputBlock * blockStride,
      outputPoints.base + plane * outputPoints.planeStride + outputBlock * blockStride,
      depth: counts[tiling.kind(ofPlane: plane)], into: products, accumulates: accumulates)
  }
}
