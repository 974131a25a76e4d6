import SKDRuntime

/// 3x3 convolution of stride 1 and padding 1 by Winograd's F(4x4, 3x3).
///
/// The image is cut into tiles of 4x4 outputs. Each of the 36 coordinates of the transformed tiles
/// is one matrix product `[tiles, inputs] x [inputs, outputs]`. Channels must be multiples of 32.
///
/// Two schedules give the same bits. *Local*: a worker carries a group of tiles through all three
/// stages within its cache; for small weights. *Phased*: all workers finish one stage before the
/// next, and a coordinate's weights are read once for all tiles; for weights larger than the cache.
struct WinogradConvolution {
  let geometry: Conv2DGeometry
  let inputs: Int
  let outputs: Int
  private let tileRows: Int
  private let tileColumns: Int
  private let tileCount: Int

  init(_ geometry: Conv2DGeometry) {
    self.geometry = geometry
    inputs = geometry.input.channels
    outputs = geometry.outputChannels
    tileRows = ceilDivide(geometry.input.height, Winograd.outputSide)
    tileColumns = ceilDivide(geometry.input.width, Winograd.outputSide)
    tileCount = geometry.input.batch * tileRows * tileColumns
  }

  /// The convolution that computes the input gradient: of dOutput, with the kernels flipped.
  var transposed: WinogradConvolution {
    var geometry = geometry
    geometry.outputChannels = inputs
    geometry.input.channels = outputs
    return WinogradConvolution(geometry)
  }

  // MARK: Schedule

  /// Floats between the planes of `tiles` transformed tiles. The odd 16 keep the 36 planes off
  /// power-of-two distances, which cost up to a factor 2.9 in the transforms.
  private func planeStride(_ tiles: Int, _ channels: Int) -> Int { tiles * channels + 16 }

  private var isPhased: Bool { Winograd.planes * inputs * outputs * 4 > 8 << 20 }

  /// Tiles in one group. Those of the local schedule stay in a core's cache.
  private var tilesPerGroup: Int {
    isPhased ? min(max(tileCount, 1), 512) : 28
  }

  /// Floats of scratch for `forward` with at most `workers` threads.
  func scratchCount(workers: Int) -> Int {
    let group =
      Winograd.planes
      * (planeStride(tilesPerGroup, inputs) + planeStride(tilesPerGroup, outputs))
    return inputs + (isPhased ? group : workers * group)
  }

  // MARK: Weights

  /// Floats of transformed weights: `[36][outputs / 32][inputs][32]`, planes padded.
  var transformedWeightCount: Int { Winograd.planes * weightPlaneStride }
  private var weightPlaneStride: Int { inputs * outputs + 16 }

  /// Transforms weights stored `[3][3][inputs][outputs]`.
  func transformWeight(
    _ weight: UnsafePointer<Float>, into transformed: UnsafeMutablePointer<Float>
  ) {
    let tap = inputs * outputs
    WorkerPool.shared.forEach(inputs) { i, _ in
      for o in stride(from: 0, to: outputs, by: 16) {
        let source = weight + i * outputs + o
        let target =
          transformed + (o / blockWidth * inputs + i) * blockWidth + o % blockWidth
        Winograd.transformWeight(
          { row, column in load(source + (row &* 3 &+ column) &* tap) },
          { row, column, value in
            store(value, target + (row &* 6 &+ column) &* weightPlaneStride)
          })
      }
    }
  }

  /// Transforms the gradient of the transformed weights back into that of the weights. `=`.
  private func inverseTransformWeight(
    _ transformed: UnsafePointer<Float>, into dWeight: UnsafeMutablePointer<Float>
  ) {
    let tap = inputs * outputs
    WorkerPool.shared.forEach(inputs) { i, _ in
      for o in stride(from: 0, to: outputs, by: 16) {
        let source = transformed + (o / blockWidth * inputs + i) * blockWidth + o % blockWidth
        let target = dWeight + i * outputs + o
        Winograd.transformWeightGradient(
          { row, column in load(source + (row &* 6 &+ column) &* weightPlaneStride) },
          { row, column, value in store(value, target + (row &* 3 &+ column) &* tap) })
      }
    }
  }

  // MARK: Forward

  /// output = leaky(convolution + bias). Writes (`=`).
  func forward(
    _ input: UnsafePointer<Float>, transformedWeight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, slope: Float, output: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    let zeros = scratch
    zeros.update(repeating: 0, count: inputs)
    let size = tilesPerGroup
    let inputStride = planeStride(size, inputs)
    let outputStride = planeStride(size, outputs)
    let groupCount = ceilDivide(tileCount, size)
    let groupScratch = Winograd.planes * (inputStride + outputStride)

    func transform(_ tile: Int, slot: Int, into coordinates: UnsafeMutablePointer<Float>) {
      transformTile(
        input, tile, channels: inputs, side: 6, offset: -1, zeros: zeros,
        into: coordinates + slot * blockWidth, blockStride: size * blockWidth,
        planeStride: inputStride)
    }
    func multiply(
      plane: Int, block: Int, count: Int, _ coordinates: UnsafePointer<Float>,
      into products: UnsafeMutablePointer<Float>
    ) {
      multiplyBlock(
        coordinates + plane * inputStride, blockStride: size * blockWidth, rowCount: count,
        transformedWeight + plane * weightPlaneStride + block * inputs * blockWidth,
        depth: inputs, into: products + plane * outputStride + block * size * blockWidth,
        rowStride: blockWidth)
    }
    func finish(_ tile: Int, slot: Int, _ products: UnsafePointer<Float>) {
      finishTile(
        tile, products + slot * blockWidth, blockStride: size * blockWidth,
        planeStride: outputStride, bias: bias, slope: slope, output: output)
    }

    if isPhased {
      let coordinates = scratch + inputs
      let products = coordinates + Winograd.planes * inputStride
      let blocks = outputs / blockWidth
      for group in 0..<groupCount {
        let first = group * size
        let count = min(size, tileCount - first)
        WorkerPool.shared.forEach(count) { slot, _ in
          transform(first + slot, slot: slot, into: coordinates)
        }
        WorkerPool.shared.forEach(Winograd.planes * blocks) { item, _ in
          let (plane, block) = item.quotientAndRemainder(dividingBy: blocks)
          multiply(plane: plane, block: block, count: count, coordinates, into: products)
        }
        WorkerPool.shared.forEach(count) { slot, _ in
          finish(first + slot, slot: slot, products)
        }
      }
    } else {
      WorkerPool.shared.forEach(groupCount, workers: workers) { group, worker in
        let coordinates = scratch + inputs + worker * groupScratch
        let products = coordinates + Winograd.planes * inputStride
        let first = group * size
        let count = min(size, tileCount - first)
        for slot in 0..<count { transform(first + slot, slot: slot, into: coordinates) }
        for plane in 0..<Winograd.planes {
          for block in 0..<outputs / blockWidth {
            multiply(plane: plane, block: block, count: count, coordinates, into: products)
          }
        }
        for slot in 0..<count { finish(first + slot, slot: slot, products) }
      }
    }
  }

  // MARK: Weight gradient

  private var tilesPerChunk: Int { min(tileCount, 512) }

  /// Floats of scratch for `backwardWeight`, whatever the number of workers.
  var weightScratchCount: Int {
    let chunk =
      Winograd.planes * (planeStride(tilesPerChunk, inputs) + planeStride(tilesPerChunk, outputs))
    return max(inputs, outputs) + chunk + transformedWeightCount
  }

  /// dWeight, in the storage order of the weights. Writes (`=`).
  func backwardWeight(
    _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    guard tileCount > 0 else { return dWeight.update(repeating: 0, count: geometry.weightCount) }
    let size = tilesPerChunk
    let inputStride = planeStride(size, inputs)
    let outputStride = planeStride(size, outputs)
    let zeros = scratch
    zeros.update(repeating: 0, count: max(inputs, outputs))
    let coordinates = scratch + max(inputs, outputs)
    let gradients = coordinates + Winograd.planes * inputStride
    let products = gradients + Winograd.planes * outputStride
    let inputBlocks = inputs / blockWidth
    let outputBlocks = outputs / blockWidth
    for first in stride(from: 0, to: tileCount, by: size) {
      let count = min(size, tileCount - first)
      WorkerPool.shared.forEach(count) { slot, _ in
        transformTile(
          input, first + slot, channels: inputs, side: 6, offset: -1, zeros: zeros,
          into: coordinates + slot * blockWidth, blockStride: size * blockWidth,
          planeStride: inputStride)
        transformTile(
          dOutput, first + slot, channels: outputs, side: 4, offset: 0, zeros: zeros,
          into: gradients + slot * blockWidth, blockStride: size * blockWidth,
          planeStride: outputStride)
      }
      WorkerPool.shared.forEach(Winograd.planes * outputBlocks) { item, _ in
        let (plane, outputBlock) = item.quotientAndRemainder(dividingBy: outputBlocks)
        for inputBlock in 0..<inputBlocks {
          multiplyTransposedBlock(
            coordinates + plane * inputStride + inputBlock * size * blockWidth,
            gradients + plane * outputStride + outputBlock * size * blockWidth, depth: count,
            into: products + plane * weightPlaneStride
              + (outputBlock * inputs + inputBlock * blockWidth) * blockWidth,
            accumulates: first > 0)
        }
      }
    }
    inverseTransformWeight(products, into: dWeight)
  }

  // MARK: Tiles

  /// Transforms one tile of all channels: 6x6 inputs (`side` 6) or 4x4 output gradients (`side` 4).
  ///
  /// - Parameters:
  ///   - offset: Of the tile's first row and column against 4 times its position.
  ///   - zeros: `channels` zeros, for what lies outside the image.
  private func transformTile(
    _ image: UnsafePointer<Float>, _ tile: Int, channels: Int, side: Int, offset: Int,
    zeros: UnsafePointer<Float>, into coordinates: UnsafeMutablePointer<Float>, blockStride: Int,
    planeStride: Int
  ) {
    let (height, width) = (geometry.input.height, geometry.input.width)
    let (n, top, left) = origin(of: tile)
    let corner =
      image + ((n &* height &+ top &+ offset) &* width &+ left &+ offset) &* channels
    let isInside =
      top + offset >= 0 && top + offset + side <= height && left + offset >= 0
      && left + offset + side <= width
    func transform(_ address: (_ row: Int, _ column: Int) -> UnsafePointer<Float>) {
      for c in stride(from: 0, to: channels, by: 16) {
        let target = coordinates + c / blockWidth * blockStride + c % blockWidth
        let read = { (row: Int, column: Int) in load(address(row, column) + c) }
        let write = { (row: Int, column: Int, value: Vector) in
          store(value, target + (row &* 6 &+ column) &* planeStride)
        }
        if side == 6 {
          Winograd.transformInput(read, write)
        } else {
          Winograd.transformGradient(read, write)
        }
      }
    }
    if isInside {
      transform { row, column in corner + (row &* width &+ column) &* channels }
    } else {
      var sources = InlineArray<36, UnsafePointer<Float>>(repeating: zeros)
      for row in 0..<side where (0..<height).contains(top + offset + row) {
        for column in 0..<side where (0..<width).contains(left + offset + column) {
          sources[row * 6 + column] = corner + (row * width + column) * channels
        }
      }
      transform { row, column in sources[row &* 6 &+ column] }
    }
  }

  /// Transforms the products of one tile back, and writes the outputs that lie inside the image.
  private func finishTile(
    _ tile: Int, _ products: UnsafePointer<Float>, blockStride: Int, planeStride: Int,
    bias: UnsafePointer<Float>?, slope: Float, output: UnsafeMutablePointer<Float>
  ) {
    let (height, width) = (geometry.input.height, geometry.input.width)
    let (n, top, left) = origin(of: tile)
    let rows = min(Winograd.outputSide, height - top)
    let columns = min(Winograd.outputSide, width - left)
    let corner = output + ((n * height + top) * width + left) * outputs
    for c in stride(from: 0, to: outputs, by: 16) {
      let source = products + c / blockWidth * blockStride + c % blockWidth
      let shift = bias.map { load($0 + c) } ?? Vector(repeating: 0)
      Winograd.transformOutput(
        { row, column in load(source + (row &* 6 &+ column) &* planeStride) },
        { row, column, value in
          if row < rows && column < columns {
            let sum = value + shift
            store(
              sum.replacing(with: sum * slope, where: sum .< 0),
              corner + ((row &* width &+ column) &* outputs &+ c))
          }
        })
    }
  }

  /// Image and first output row and column of a tile.
  private func origin(of tile: Int) -> (image: Int, top: Int, left: Int) {
    let (row, column) = tile.quotientAndRemainder(dividingBy: tileColumns)
    let (image, tileRow) = row.quotientAndRemainder(dividingBy: tileRows)
    return (image, tileRow * Winograd.outputSide, column * Winograd.outputSide)
  }
}

@inline(__always)
private func load(_ pointer: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inline(__always)
private func store(_ value: Vector, _ pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: Vector.self)
}
