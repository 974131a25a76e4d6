import SKDRuntime

/// 3x3 convolution of stride 1 and padding 1 by Winograd's F(4x4, 3x3), forward or for the gradient
/// of the input. Channels must be multiples of 32.
///
/// The image is cut into tiles of 4x4 outputs. Each of the 36 points of the transformed tiles is one
/// matrix product `[tiles, inputs] x [inputs, outputs]`. There are two schedules.
///
/// *By tiles*, for small weights: they are transformed beforehand, and a worker carries a group of
/// tiles through all three stages within its cache.
///
/// *By channels*, for large weights: the workers transform all tiles, then each carries 32 outputs
/// at a time through the rest, and transforms their weights itself, a part of the inputs at a time.
/// These are never written to memory, where they would take four times the space of the kernels.
///
/// The operands of the products may be kept in bfloat16; all else is float32.
struct WinogradConvolution {
  /// Of what is read: the input, or the gradient of the output.
  private let images: ImageShape
  private let weights: WinogradWeights
  private let tiling: WinogradTiling

  private var precision: Precision { weights.precision }
  private var inputs: Int { weights.depth }
  private var outputs: Int { weights.columns }

  init(_ geometry: Conv2DGeometry, isTransposed: Bool = false, precision: Precision = .float32) {
    images = isTransposed ? geometry.output : geometry.input
    weights = WinogradWeights(
      inputs: geometry.input.channels, outputs: geometry.outputChannels, isTransposed: isTransposed,
      precision: precision)
    tiling = WinogradTiling(images)
  }

  // MARK: Schedule

  /// Weights that are larger at the points are transformed where they are used.
  private static let largestWeights = 8 << 20  // bytes
  private static let largestInputs = 16 << 20  // bytes, of the tiles of the schedule by channels

  /// Tiles of which sums are taken together, and which a worker takes together by tiles: their
  /// values at the points stay in the cache of a core.
  static let tilesPerGroup = 28

  private var goesByTiles: Bool { weights.count * 4 <= Self.largestWeights }

  /// Tiles whose values at the points are in memory at a time: all, or equal parts of them.
  private var tilesPerChunk: Int {
    if goesByTiles { return Self.tilesPerGroup }
    let most = Self.largestInputs / (Winograd.planes * inputs * precision.size)
    let chunks = max(1, ceilDivide(tiling.tileCount, most))
    return ceilDivide(ceilDivide(tiling.tileCount, chunks), Self.tilesPerGroup)
      * Self.tilesPerGroup
  }

  /// Floats between the planes of products: the odd 16 keep the 36 planes off power-of-two
  /// distances, which cost up to a factor 2.9 in the transforms.
  private func planeStride(_ channels: Int) -> Int { tilesPerChunk * channels + 16 }

  /// Elements between the planes of inputs.
  private var inputPlaneStride: Int { tilesPerChunk * inputs + precision.lineCount }

  private var inputCount: Int { precision.floats(Winograd.planes * inputPlaneStride) }

  /// Floats that each worker needs: by tiles, for the points of inputs and outputs; by channels, for
  /// those of the weights and of 32 outputs.
  private var workerCount: Int {
    goesByTiles
      ? inputCount + Winograd.planes * planeStride(outputs)
      : weights.partCount + Winograd.planes * planeStride(blockWidth)
  }

  /// Floats of scratch for `forward` with at most `workers` threads.
  func scratchCount(workers: Int) -> Int {
    workers * workerCount + (goesByTiles ? 0 : inputCount)
  }

  /// Floats of the packed weights; 0 if `forward` reads them as they are stored.
  var packedWeightCount: Int { goesByTiles ? weights.count : 0 }

  /// Packs weights stored `[3][3][inputs][outputs]`.
  func pack(_ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
    if goesByTiles { weights.transform(weight, into: packed) }
  }

  // MARK: Sums

  /// Groups of outputs for which an epilogue keeps sums.
  var groupCount: Int { ceilDivide(tiling.tileCount, Self.tilesPerGroup) }

  private func tiles(ofGroup group: Int) -> Range<Int> {
    group * Self.tilesPerGroup..<min((group + 1) * Self.tilesPerGroup, tiling.tileCount)
  }

  /// Output positions of a group.
  private func positionCount(ofGroup group: Int) -> Int {
    tiles(ofGroup: group).reduce(0) { count, tile in
      let window = window(of: tile, channels: outputs)
      return count + window.rows.count * window.columns.count
    }
  }

  // MARK: Forward

  /// Convolves. Writes (`=`).
  ///
  /// - Parameters:
  ///   - weight: Packed or, if `packedWeightCount` is 0, as stored.
  ///   - normalization: Of the input, as it is read.
  ///   - epilogue: For the outputs of a group of tiles.
  ///   - sums: Where the epilogue adds up, one record for each group; opened here.
  func forward<Epilogue: OutputEpilogue>(
    _ input: UnsafePointer<Float>, normalization: ChannelNormalization?,
    weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    sums: UnsafeMutablePointer<Float>?, scratch: UnsafeMutablePointer<Float>, workers: Int,
    epilogue: (_ group: Int, _ isFirstTile: Bool) -> Epilogue
  ) {
    if goesByTiles {
      WorkerPool.shared.forEach(groupCount, workers: workers) { group, worker in
        let tiles = tiles(ofGroup: group)
        let points = scratch + worker * workerCount
        let products = points + inputCount
        for tile in tiles {
          transform(tile, after: tiles.lowerBound, input, normalization, into: points)
        }
        multiply(
          tiles, points, depths: 0..<inputs, weight, planeStride: weights.planeStride,
          blocks: outputs / blockWidth, into: products, planeStride: planeStride(outputs))
        open(sums, group: group, channels: 0..<outputs)
        for tile in tiles {
          finish(
            tile, after: tiles.lowerBound, products, planeStride: planeStride(outputs),
            channels: 0..<outputs, output, epilogue(group, tile == tiles.lowerBound))
        }
      }
    } else {
      for first in stride(from: 0, to: tiling.tileCount, by: tilesPerChunk) {
        let tiles = first..<min(first + tilesPerChunk, tiling.tileCount)
        tiling.forEachTile(tiles, workers: workers) { tile in
          transform(tile, after: first, input, normalization, into: scratch)
        }
        WorkerPool.shared.forEach(outputs / blockWidth, workers: workers) { block, worker in
          let points = scratch + inputCount + worker * workerCount
          let products = points + weights.partCount
          let channels = block * blockWidth..<(block + 1) * blockWidth
          for first in stride(from: 0, to: inputs, by: WinogradWeights.partDepth) {
            let depths = first..<min(first + WinogradWeights.partDepth, inputs)
            weights.transform(weight, block: block, depths: depths, into: points)
            multiply(
              tiles, scratch, depths: depths, points, planeStride: weights.partPlaneStride,
              blocks: 1, into: products, planeStride: planeStride(blockWidth))
          }
          for tile in tiles {
            let group = tile / Self.tilesPerGroup
            let isFirst = tile % Self.tilesPerGroup == 0
            if isFirst { open(sums, group: group, channels: channels) }
            finish(
              tile, after: first, products, planeStride: planeStride(blockWidth),
              channels: channels, output, epilogue(group, isFirst))
          }
        }
      }
    }
  }

  private func open(_ sums: UnsafeMutablePointer<Float>?, group: Int, channels: Range<Int>) {
    guard let sums else { return }
    ChannelSums(sums, group: group, channels: outputs)
      .open(count: positionCount(ofGroup: group), channels: channels)
  }

  // MARK: Stages

  private func window(of tile: Int, channels: Int) -> WinogradWindow {
    let (image, row, column) = tiling.position(of: tile)
    var shape = images
    shape.channels = channels
    return WinogradWindow(
      shape, image: image, top: 4 * row, left: 4 * column, rows: tiling.rows.outputs(of: row),
      columns: tiling.columns.outputs(of: column))
  }

  private func transform(
    _ tile: Int, after first: Int, _ input: UnsafePointer<Float>,
    _ normalization: ChannelNormalization?, into points: UnsafeMutablePointer<Float>
  ) {
    func transform<Point: ProductOperand>(_: Point.Type) {
      tiling.transformInput(
        tile, after: first, of: input, images, normalization,
        into: WinogradPlanes(
          base: points.elements(of: Point.self), planeStride: inputPlaneStride,
          blockStride: tilesPerChunk * blockWidth))
    }
    switch precision {
    case .float32: transform(Float.self)
    case .bfloat16: transform(BFloat16.self)
    }
  }

  /// Multiplies all points of some tiles with blocks of 32 columns of weights.
  ///
  /// - Parameters:
  ///   - depths: The inputs that count; the products of any but the first are added.
  ///   - weight: Of these inputs.
  ///   - weightStride: Elements between the planes of the weights.
  private func multiply(
    _ tiles: Range<Int>, _ points: UnsafePointer<Float>, depths: Range<Int>,
    _ weight: UnsafePointer<Float>, planeStride weightStride: Int, blocks: Int,
    into products: UnsafeMutablePointer<Float>, planeStride productStride: Int
  ) {
    let counts = tiling.ranks(of: tiles.upperBound) &- tiling.ranks(of: tiles.lowerBound)
    let blockStride = tilesPerChunk * blockWidth
    let accumulates = depths.lowerBound > 0
    for plane in 0..<Winograd.planes {
      let rowCount = counts[tiling.kind(ofPlane: plane)]
      for block in 0..<blocks {
        let a = plane * inputPlaneStride + depths.lowerBound / blockWidth * blockStride
        let b = plane * weightStride + block * depths.count * blockWidth
        let products = products + plane * productStride + block * blockStride
        switch precision {
        case .float32:
          multiplyBlock(
            points + a, blockStride: blockStride, rowCount: rowCount, weight + b,
            depth: depths.count, into: products, rowStride: blockWidth, accumulates: accumulates)
        case .bfloat16:
          multiplyBlock(
            points.elements(of: BFloat16.self) + a, blockStride: blockStride, rowCount: rowCount,
            weight.elements(of: BFloat16.self) + b, depth: depths.count, into: products,
            rowStride: blockWidth, accumulates: accumulates)
        }
      }
    }
  }

  private func finish<Epilogue: OutputEpilogue>(
    _ tile: Int, after first: Int, _ products: UnsafePointer<Float>, planeStride: Int,
    channels: Range<Int>, _ output: UnsafeMutablePointer<Float>, _ epilogue: Epilogue
  ) {
    let (_, row, column) = tiling.position(of: tile)
    WinogradOutputTile(
      source: WinogradPlanes(
        base: products, planeStride: planeStride, blockStride: tilesPerChunk * blockWidth),
      slots: tiling.slots(of: tile, after: first), channels: channels,
      window: window(of: tile, channels: outputs), outputs: output, epilogue: epilogue
    ).run(
      rows: tiling.rows.outputs(of: row), columns: tiling.columns.outputs(of: column))
  }
}

extension WinogradTiling {
  /// A tile's places in the planes, where those of `first` are 0.
  func slots(of tile: Int, after first: Int) -> WinogradSlots {
    WinogradSlots(ranks(of: tile) &- ranks(of: first), self)
  }

  /// Brings a tile of inputs to the points; see `WinogradInputTile`.
  func transformInput<Point: ProductOperand>(
    _ tile: Int, after first: Int, of input: UnsafePointer<Float>, _ images: ImageShape,
    _ normalization: ChannelNormalization?,
    into planes: WinogradPlanes<UnsafeMutablePointer<Point>>
  ) {
    let (image, row, column) = position(of: tile)
    let (height, width) = (rows.outputs(of: row), columns.outputs(of: column))
    WinogradInputTile(
      images: input,
      window: WinogradWindow(
        images, image: image, top: 4 * row - 1, left: 4 * column - 1, rows: height + 2,
        columns: width + 2),
      normalization: normalization, target: planes, slots: slots(of: tile, after: first)
    ).run(rows: height, columns: width)
  }

  /// Brings a tile of output gradients to the points.
  func transformGradient<Point: ProductOperand>(
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
