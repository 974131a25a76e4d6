import SKDRuntime

/// 3x3 convolution of stride 1 and padding 0, 1 or 2 by Winograd's F(4x4, 3x3), forward or for the
/// gradient of the input.
///
/// The image is cut into tiles of 4x4 outputs. Each of the 36 points of the transformed tiles is one
/// matrix product `[tiles, inputs] x [inputs, outputs]`. There are two schedules.
///
/// *By tiles*, for small weights and many tiles: a worker carries a group of tiles through all three
/// stages within its cache.
///
/// *By channels*, for large weights or few tiles: the workers transform all tiles, then each carries
/// 32 outputs at a time through the rest.
///
/// Small weights are transformed beforehand. Large weights, and small ones that an evaluation reads
/// for few tiles, would take four times the space of the kernels: workers transform them where they
/// use them, a part of the inputs at a time, and never write them to memory.
///
/// The operands of the products may be kept in bfloat16; all else is float32.
struct WinogradConvolution {
  /// Extent of the operand: the input, or the gradient of the output.
  private let images: ImageShape
  /// Extent of the result.
  private let results: ImageShape
  /// Zeros around the operand, on each side.
  private let padding: Int
  private let weights: WinogradWeights
  private let tiling: WinogradTiling
  private let purpose: Conv2DAlgorithm.Purpose
  private let tilesPerGroup: Int

  private var precision: Precision { weights.precision }
  private var inputs: Int { weights.depth }
  private var outputs: Int { weights.columns }

  /// - Parameter purpose: For `.evaluation`, weights that are not transformed beforehand are put in
  ///   the order of their use.
  init(
    _ geometry: Conv2DGeometry, isTransposed: Bool = false, precision: Precision = .float32,
    purpose: Conv2DAlgorithm.Purpose = .training
  ) {
    images = isTransposed ? geometry.output : geometry.input
    results = isTransposed ? geometry.input : geometry.output
    padding = isTransposed ? 2 - geometry.padding : geometry.padding
    weights = WinogradWeights(
      inputs: geometry.input.channels, outputs: geometry.outputChannels, isTransposed: isTransposed,
      precision: precision)
    tiling = WinogradTiling(results)
    self.purpose = purpose
    let even = ceilDivide(tiling.tileCount, Self.fewestGroups)
    tilesPerGroup = min(Self.mostTilesPerGroup, max(Self.fewestTilesPerGroup, even))
  }

  // MARK: Schedule

  /// Weights that are larger at the points are transformed where they are used.
  private static let largestWeights = 8 << 20  // bytes
  private static let largestInputs = 16 << 20  // bytes, of the tiles of the schedule by channels

  /// Tiles of which sums are taken together, and which a worker takes together by tiles: their
  /// values at the points stay in the cache of a core, and few tiles are shared out evenly.
  private static let mostTilesPerGroup = 28
  private static let fewestTilesPerGroup = 8
  private static let fewestGroups = 4
  /// With fewer tiles, by tiles the weights would be read for too few rows at a time.
  private static let fewestTilesByTiles = 64

  private var hasFewTiles: Bool { tiling.tileCount < Self.fewestTilesByTiles }
  /// Whether weights are transformed beforehand. An evaluation of few tiles waits for its weights, and
  /// kernels take a quarter of the bytes that they take at the points (in bfloat16 only intermediate).
  private var areWeightsTransformed: Bool {
    let waitsForWeights = purpose == .evaluation && hasFewTiles && precision == .float32
    return weights.count * 4 <= Self.largestWeights && !waitsForWeights
  }
  private var goesByTiles: Bool { areWeightsTransformed && !hasFewTiles }

  /// Tiles whose values at the points are in memory at a time: all, or equal parts of them.
  private var tilesPerChunk: Int {
    if goesByTiles { return tilesPerGroup }
    let most = max(1, Self.largestInputs / (Winograd.planes * wholeBlocks(inputs) * precision.size))
    let chunks = max(1, ceilDivide(tiling.tileCount, most))
    return ceilDivide(ceilDivide(tiling.tileCount, chunks), tilesPerGroup) * tilesPerGroup
  }

  /// Floats between the planes of products: the odd 16 keep the 36 planes off power-of-two
  /// distances, which cost up to a factor 2.9 in the transforms.
  private func planeStride(_ channels: Int) -> Int {
    tilesPerChunk * wholeBlocks(channels) + 16
  }

  /// Elements between the planes of inputs.
  private var inputPlaneStride: Int { tilesPerChunk * wholeBlocks(inputs) + precision.lineCount }

  private var inputCount: Int { precision.floats(Winograd.planes * inputPlaneStride) }

  /// Floats that each worker needs: by tiles, for the points of inputs and outputs; by channels,
  /// for the points of weights and of 32 outputs.
  private var workerCount: Int {
    goesByTiles
      ? inputCount + Winograd.planes * planeStride(outputs)
      : (areWeightsTransformed ? 0 : weights.partCount) + Winograd.planes * planeStride(blockWidth)
  }

  /// Floats of scratch for `forward` with at most `workers` threads.
  func scratchCount(workers: Int) -> Int {
    workers * workerCount + (goesByTiles ? 0 : inputCount)
  }

  /// Floats of the packed weights; 0 if `forward` reads them as they are stored.
  var packedWeightCount: Int {
    if areWeightsTransformed { return weights.count }
    return isOrdered ? weights.orderedCount : 0
  }

  /// Packs weights stored `[3][3][inputs][outputs]`.
  func pack(_ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
    if areWeightsTransformed {
      weights.toPoints(weight, into: packed)
    } else if isOrdered {
      weights.order(weight, into: packed)
    }
  }

  /// Whether weights that are not transformed beforehand are read in the order of their use: it takes
  /// them from memory twice as fast, which pays off if they are read more than once.
  private var isOrdered: Bool { purpose == .evaluation }

  // MARK: Sums

  /// Groups of outputs for which an epilogue keeps sums.
  var groupCount: Int { ceilDivide(tiling.tileCount, tilesPerGroup) }

  private func tiles(ofGroup group: Int) -> Range<Int> {
    group * tilesPerGroup..<min((group + 1) * tilesPerGroup, tiling.tileCount)
  }

  /// Output positions of a group.
  private func positionCount(ofGroup group: Int) -> Int {
    tiles(ofGroup: group).reduce(0) { count, tile in
      let window = window(of: tile)
      return count + window.rows.count * window.columns.count
    }
  }

  // MARK: Forward

  /// Convolves. Writes (`=`).
  ///
  /// - Parameters:
  ///   - weight: Packed or, if `packedWeightCount` is 0, as stored.
  ///   - normalization: Norm of the input, applied as it is read.
  ///   - epilogue: For the outputs of a group of tiles.
  ///   - sums: Where the epilogue adds up, one record for each group; opened here.
  func forward<Epilogue: OutputEpilogue>(
    _ input: UnsafePointer<Float>, normalization: ChannelNormalization?,
    weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    sums: ChannelSumRecords?, scratch: UnsafeMutablePointer<Float>, workers: Int,
    epilogue: (_ group: Int, _ isFirstTile: Bool) -> Epilogue
  ) {
    if goesByTiles {
      WorkerPool.shared.forEach(groupCount, workers: workers) { group, worker in
        let tiles = tiles(ofGroup: group)
        let points = scratch + worker * workerCount
        let products = points + inputCount
        for tile in tiles {
          inputToPoints(tile, after: tiles.lowerBound, input, normalization, into: points)
        }
        multiplyPlanes(
          tiles, points, depths: 0..<inputs, weight, planeStride: weights.planeStride,
          blocks: 0..<ceilDivide(outputs, blockWidth), into: products,
          planeStride: planeStride(outputs))
        open(sums, group: group, channels: 0..<outputs)
        for tile in tiles {
          outputFromPoints(
            tile, after: tiles.lowerBound, products, planeStride: planeStride(outputs),
            channels: 0..<outputs, output, epilogue(group, tile == tiles.lowerBound))
        }
      }
    } else {
      for first in stride(from: 0, to: tiling.tileCount, by: tilesPerChunk) {
        let tiles = first..<min(first + tilesPerChunk, tiling.tileCount)
        tiling.forEachTile(tiles, workers: workers) { tile in
          inputToPoints(tile, after: first, input, normalization, into: scratch)
        }
        WorkerPool.shared.forEach(ceilDivide(outputs, blockWidth), workers: workers) {
          block, worker in
          let products = scratch + inputCount + worker * workerCount
          let channels = block * blockWidth..<min((block + 1) * blockWidth, outputs)
          multiplyPlanes(tiles, scratch, weight, block: block, into: products)
          for tile in tiles {
            let group = tile / tilesPerGroup
            let isFirst = tile % tilesPerGroup == 0
            if isFirst { open(sums, group: group, channels: channels) }
            outputFromPoints(
              tile, after: first, products, planeStride: planeStride(blockWidth),
              channels: channels, output, epilogue(group, isFirst))
          }
        }
      }
    }
  }

  private func open(_ sums: ChannelSumRecords?, group: Int, channels: Range<Int>) {
    sums?[group]
      .open(count: positionCount(ofGroup: group), channels: channels)
  }

  // MARK: Stages

  /// The window of a tile of results.
  private func window(of tile: Int) -> WinogradWindow {
    let (image, row, column) = tiling.position(of: tile)
    return WinogradWindow(
      results, image: image, top: 4 * row, left: 4 * column, rows: tiling.rows.outputs(of: row),
      columns: tiling.columns.outputs(of: column))
  }

  private func inputToPoints(
    _ tile: Int, after first: Int, _ input: UnsafePointer<Float>,
    _ normalization: ChannelNormalization?, into points: UnsafeMutablePointer<Float>
  ) {
    func inputToPoints<Point: ProductOperand>(_: Point.Type) {
      tiling.inputToPoints(
        tile, after: first, of: input, images, padding: padding, normalization,
        into: WinogradPlanes(
          base: points.elements(of: Point.self), planeStride: inputPlaneStride,
          blockStride: tilesPerChunk * blockWidth))
    }
    switch precision {
    case .float32: inputToPoints(Float.self)
    case .bfloat16: inputToPoints(BFloat16.self)
    }
  }

  /// Multiplies all points of some tiles with the weights of 32 outputs.
  ///
  /// - Parameters:
  ///   - weight: All weights, packed or as stored.
  ///   - products: A worker's memory; the memory behind the products takes transformed weights.
  private func multiplyPlanes(
    _ tiles: Range<Int>, _ points: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
    block: Int, into products: UnsafeMutablePointer<Float>
  ) {
    let stride = planeStride(blockWidth)
    if areWeightsTransformed {
      multiplyPlanes(
        tiles, points, depths: 0..<inputs, weight, planeStride: weights.planeStride,
        blocks: block..<block + 1, into: products, planeStride: stride)
    } else {
      let transformed = products + Winograd.planes * stride
      for first in Swift.stride(from: 0, to: inputs, by: WinogradWeights.partDepth) {
        let depths = first..<min(first + WinogradWeights.partDepth, inputs)
        weights.toPoints(
          weight, isOrdered: isOrdered, block: block, depths: depths, into: transformed)
        multiplyPlanes(
          tiles, points, depths: depths, transformed, from: block,
          planeStride: weights.partPlaneStride, blocks: block..<block + 1, into: products,
          planeStride: stride)
      }
    }
  }

  /// Multiplies all points of some tiles with blocks of 32 columns of transformed weights.
  ///
  /// - Parameters:
  ///   - depths: The inputs that count; the products of any but the first are added.
  ///   - weight: Weights of these inputs, from block `firstBlock` on.
  ///   - weightStride: Elements between the planes of the weights.
  ///   - blocks: Blocks of the weights; the products of the first are written first.
  private func multiplyPlanes(
    _ tiles: Range<Int>, _ points: UnsafePointer<Float>, depths: Range<Int>,
    _ weight: UnsafePointer<Float>, from firstBlock: Int = 0, planeStride weightStride: Int,
    blocks: Range<Int>, into products: UnsafeMutablePointer<Float>, planeStride productStride: Int
  ) {
    let counts =
      tiling.slotCounts(before: tiles.upperBound) &- tiling.slotCounts(before: tiles.lowerBound)
    let blockStride = tilesPerChunk * blockWidth
    let accumulates = depths.lowerBound > 0
    for plane in 0..<Winograd.planes {
      let rowCount = counts[tiling.kind(ofPlane: plane)]
      for block in blocks {
        let a = plane * inputPlaneStride + depths.lowerBound / blockWidth * blockStride
        let b = plane * weightStride + (block - firstBlock) * weights.blockDepth * blockWidth
        let products =
          products + plane * productStride + (block - blocks.lowerBound) * blockStride
        let columnCount = min(blockWidth, outputs - block * blockWidth)
        switch precision {
        case .float32:
          multiplyBlock(
            points + a, blockStride: blockStride, rowCount: rowCount, weight + b,
            depth: depths.count, columnCount: columnCount, into: products, rowStride: blockWidth,
            accumulates: accumulates)
        case .bfloat16:
          multiplyBlock(
            points.elements(of: BFloat16.self) + a, blockStride: blockStride, rowCount: rowCount,
            weight.elements(of: BFloat16.self) + b, depth: depths.count,
            columnCount: columnCount, into: products, rowStride: blockWidth,
            accumulates: accumulates)
        }
      }
    }
  }

  private func outputFromPoints<Epilogue: OutputEpilogue>(
    _ tile: Int, after first: Int, _ products: UnsafePointer<Float>, planeStride: Int,
    channels: Range<Int>, _ output: UnsafeMutablePointer<Float>, _ epilogue: Epilogue
  ) {
    let (_, row, column) = tiling.position(of: tile)
    WinogradOutputTile(
      source: WinogradPlanes(
        base: products, planeStride: planeStride, blockStride: tilesPerChunk * blockWidth),
      slots: tiling.slots(of: tile, after: first), channels: channels,
      window: window(of: tile), outputs: output, epilogue: epilogue
    ).run(
      rows: tiling.rows.outputs(of: row), columns: tiling.columns.outputs(of: column))
  }
}

extension WinogradTiling {
  /// A tile's places in the planes, where those of `first` are 0.
  func slots(of tile: Int, after first: Int) -> WinogradSlots {
    WinogradSlots(slotCounts(before: tile) &- slotCounts(before: first), self)
  }

  /// Brings a tile of inputs to the points; see `WinogradInputTile`.
  func inputToPoints<Point: ProductOperand>(
    _ tile: Int, after first: Int, of input: UnsafePointer<Float>, _ images: ImageShape,
    padding: Int, _ normalization: ChannelNormalization?,
    into planes: WinogradPlanes<UnsafeMutablePointer<Point>>
  ) {
    let (image, row, column) = position(of: tile)
    let (height, width) = (rows.outputs(of: row), columns.outputs(of: column))
    WinogradInputTile(
      images: input,
      window: WinogradWindow(
        images, image: image, top: 4 * row - padding, left: 4 * column - padding,
        rows: height + 2, columns: width + 2),
      normalization: normalization, target: planes, slots: slots(of: tile, after: first)
    ).run(rows: height, columns: width)
  }

  /// Brings a tile of output gradients to the points.
  func gradientToPoints<Point: ProductOperand>(
    _ tile: Int, after first: Int, of gradients: UnsafePointer<Float>, _ images: ImageShape,
    into planes: WinogradPlanes<UnsafeMutablePointer<Point>>
  ) {
    let (image, row, column) = position(of: tile)
    let (height, width) = (rows.outputs(of: row), columns.outputs(of: column))
    WinogradGradientTile(
      gradients: gradients,
      window: WinogradWindow(
        images, image: image, top: 4 * row, left: 4 * column, rows: height, columns: width),
      target: planes, slots: slots(of: tile, after: first)
    ).run(rows: height, columns: width)
  }
}
