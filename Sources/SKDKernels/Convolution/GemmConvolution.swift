import SKDRuntime

/// Convolution of any geometry as a product of patches and weights, block by block.
///
/// A linear layer is the case of 1x1 images. Patches are gathered for a few hundred rows at a
/// time, into memory that stays in the cache.
struct GemmConvolution {
  let geometry: Conv2DGeometry
  private let patches: Patches
  private let depthBlocks: Int
  private let channelBlocks: Int

  init(_ geometry: Conv2DGeometry) {
    self.geometry = geometry
    patches = Patches(geometry)
    depthBlocks = ceilDivide(geometry.depth, blockWidth)
    channelBlocks = ceilDivide(geometry.outputChannels, blockWidth)
  }

  // MARK: Weights

  /// Floats of the weights as `[ceil(outputs / 32)][depth][32]`.
  var packedWeightCount: Int { channelBlocks * geometry.depth * blockWidth }

  /// Floats of the transposed weights, `[ceil(depth / 32)][outputs][32]`.
  var packedTransposeCount: Int { depthBlocks * geometry.outputChannels * blockWidth }

  /// Packs weights stored `[kernel row][kernel column][input][output]` for `forward`.
  func pack(_ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
    packBlocks(
      weight, rows: geometry.depth, columns: geometry.outputChannels,
      rowStride: geometry.outputChannels, blockStride: geometry.depth * blockWidth, into: packed)
  }

  /// Packs the transpose of the weights, for `backwardInput`.
  func packTranspose(
    _ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    let outputs = geometry.outputChannels
    WorkerPool.shared.forEach(depthBlocks) { block, _ in
      let target = packed + block * outputs * blockWidth
      let width = min(blockWidth, geometry.depth - block * blockWidth)
      for j in 0..<blockWidth {
        guard j < width else {
          for o in 0..<outputs { target[o * blockWidth + j] = 0 }
          continue
        }
        let source = weight + (block * blockWidth + j) * outputs
        for o in 0..<outputs { target[o * blockWidth + j] = source[o] }
      }
    }
  }

  // MARK: Passes

  /// Rows of one work item: a few tiles, whose patches stay in the cache.
  private var rowsPerItem: Int { min(112, max(geometry.output.rows, 1)) }
  private var blockStride: Int { rowsPerItem * blockWidth }

  /// Whether the rows are too few to share them out: the columns are shared out as well.
  private var splitsColumns: Bool { groupCount < 8 && channelBlocks > 1 }

  /// Floats of the patches of one work item.
  private var matrixCount: Int { depthBlocks * blockStride }

  /// Floats of scratch for `forward` with at most `workers` threads.
  func forwardScratchCount(workers: Int) -> Int {
    (splitsColumns ? groupCount : workers) * matrixCount + workers * blockStride
  }

  /// Groups of output positions whose moments `forward` takes: its work items.
  var groupCount: Int { ceilDivide(geometry.output.rows, rowsPerItem) }

  private func rows(ofGroup group: Int) -> Range<Int> {
    group * rowsPerItem..<min((group + 1) * rowsPerItem, geometry.output.rows)
  }

  /// output = leaky(patches * weight + bias). Writes (`=`).
  ///
  /// - Parameters:
  ///   - bias: One value per output channel rounded up to a multiple of 32, or nil.
  ///   - moments: Overwritten by the moments of the outputs; nil for none.
  func forward(
    _ input: UnsafePointer<Float>, packedWeight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, slope: Float, output: UnsafeMutablePointer<Float>,
    moments: ChannelSumRecords?, scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    let outputs = geometry.outputChannels
    let spares = scratch + (splitsColumns ? groupCount : workers) * matrixCount
    func gather(_ rows: Range<Int>, into matrix: UnsafeMutablePointer<Float>) {
      patches.gather(
        input, first: rows.lowerBound, count: rows.count, blockStride: blockStride, into: matrix)
    }
    func multiply(
      _ group: Int, blocks: Range<Int>, _ matrix: UnsafePointer<Float>, worker: Int
    ) {
      let rows = rows(ofGroup: group)
      multiplyRows(
        matrix, blockStride: blockStride, count: rows.count, packedWeight, depth: geometry.depth,
        columns: outputs, blocks: blocks, bias: bias, slope: slope,
        into: output + rows.lowerBound * outputs, spare: spares + worker * blockStride)
    }
    func sum(_ group: Int) {
      guard let moments else { return }
      let rows = rows(ofGroup: group)
      moments[group].addMoments(
        output + rows.lowerBound * outputs, rows: rows.count, channels: outputs)
    }
    if splitsColumns {
      let size = 8
      WorkerPool.shared.forEach(
        groupCount * ceilDivide(rowsPerItem, size), workers: workers
      ) { item, _ in
        let (group, part) = item.quotientAndRemainder(dividingBy: ceilDivide(rowsPerItem, size))
        let all = rows(ofGroup: group)
        let rows = (all.lowerBound + part * size..<all.lowerBound + (part + 1) * size)
          .clamped(to: all)
        gather(rows, into: scratch + group * matrixCount + part * size * blockWidth)
      }
      WorkerPool.shared.forEach(groupCount * channelBlocks, workers: workers) { item, worker in
        let (group, block) = item.quotientAndRemainder(dividingBy: channelBlocks)
        multiply(
          group, blocks: block..<block + 1, scratch + group * matrixCount, worker: worker)
      }
      if moments != nil { WorkerPool.shared.forEach(groupCount) { group, _ in sum(group) } }
    } else {
      WorkerPool.shared.forEach(groupCount, workers: workers) { group, worker in
        let matrix = scratch + worker * matrixCount
        gather(rows(ofGroup: group), into: matrix)
        multiply(group, blocks: 0..<channelBlocks, matrix, worker: worker)
        sum(group)
      }
    }
  }

  /// Floats of scratch that each worker of `backwardInput` needs.
  var inputScratchCountPerWorker: Int {
    rowsPerItem * blockWidth * (depthBlocks + channelBlocks)
  }

  /// dInput = the patches of dOutput * weight^T, each added where it came from. Writes (`=`).
  func backwardInput(
    _ dOutput: UnsafePointer<Float>, packedTranspose: UnsafePointer<Float>,
    dInput: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    let outputs = geometry.outputChannels
    let rowsPerImage = geometry.output.height * geometry.output.width
    let imageCount = geometry.input.count / max(geometry.input.batch, 1)
    // Patches of one image overlap: an image is one item, unless no patches do.
    let groupRows = geometry.isPointwise ? rowsPerItem : rowsPerImage
    let rows = geometry.output.rows
    WorkerPool.shared.forEach(ceilDivide(rows, max(groupRows, 1)), workers: workers) {
      group, worker in
      let gradients = scratch + worker * inputScratchCountPerWorker
      let spare = gradients + channelBlocks * blockStride
      if !geometry.isPointwise {
        (dInput + group * imageCount).update(repeating: 0, count: imageCount)
      }
      var first = group * groupRows
      let end = min(first + groupRows, rows)
      while first < end {
        let count = min(rowsPerItem, end - first)
        packBlocks(
          dOutput + first * outputs, rows: count, columns: outputs, rowStride: outputs,
          blockStride: blockStride, into: gradients)
        if geometry.isPointwise {
          multiplyRows(
            gradients, blockStride: blockStride, count: count, packedTranspose, depth: outputs,
            columns: geometry.depth, blocks: 0..<depthBlocks, bias: nil, slope: 1,
            into: dInput + first * geometry.depth, spare: spare)
        } else {
          let rowStride = depthBlocks * blockWidth
          for block in 0..<depthBlocks {
            multiplyBlock(
              gradients, blockStride: blockStride, rowCount: count,
              packedTranspose + block * outputs * blockWidth, depth: outputs,
              columnCount: min(blockWidth, geometry.depth - block * blockWidth),
              into: spare + block * blockWidth, rowStride: rowStride)
          }
          patches.scatterAdd(spare, first: first, count: count, rowStride: rowStride, into: dInput)
        }
        first += count
      }
    }
  }

  private static let rowsPerGradientGroup = 112
  var gradientGroupCount: Int { ceilDivide(geometry.input.rows, Self.rowsPerGradientGroup) }

  /// Applies `use` to the complete gradient of the input.
  func finishInputGradient(_ dInput: UnsafeMutablePointer<Float>, _ use: InputGradientUse) {
    let channels = geometry.input.channels
    switch use {
    case .plain: break
    case .sum(let addend): addInPlace(dInput, addend, count: geometry.input.count)
    case .throughNorm(let input, let normalization, let records):
      forEachChunk(of: geometry.input.rows, size: Self.rowsPerGradientGroup) { start, end in
        let gradient = dInput + start * channels
        records[start / Self.rowsPerGradientGroup]
          .addGradient(
            gradient, of: input + start * channels, rows: end - start, channels: channels,
            normalization, masked: gradient)
      }
    }
  }

  /// A product of gathered rows with packed weights, into a row-major matrix of any width.
  private func multiplyRows(
    _ matrix: UnsafePointer<Float>, blockStride: Int, count: Int, _ packed: UnsafePointer<Float>,
    depth: Int, columns: Int, blocks: Range<Int>, bias: UnsafePointer<Float>?, slope: Float,
    into output: UnsafeMutablePointer<Float>, spare: UnsafeMutablePointer<Float>
  ) {
    for block in blocks {
      let column = block * blockWidth
      let width = min(blockWidth, columns - column)
      let isWhole = width == blockWidth
      multiplyBlock(
        matrix, blockStride: blockStride, rowCount: count, packed + block * depth * blockWidth,
        depth: depth, columnCount: width, into: isWhole ? output + column : spare,
        rowStride: isWhole ? columns : blockWidth, bias: bias.map { $0 + column }, slope: slope)
      if !isWhole {
        for row in 0..<count {
          let (source, target) = (spare + row &* blockWidth, output + (row &* columns &+ column))
          forEachVector(width) { j, lanes in
            target.store(source.vector(at: j, lanes: lanes), at: j, lanes: lanes)
          }
        }
      }
    }
  }

  // MARK: Weight gradient

  /// Rows gathered before their outer products are added up: about 4 MB of patches and gradients.
  private var rowsPerChunk: Int {
    let rows = 4_000_000 / (128 * (depthBlocks + channelBlocks))
    return min(max(rows / 64 * 64, 256), 4096)
  }

  /// Floats of scratch that `backwardWeight` needs, whatever the number of workers.
  var weightScratchCount: Int {
    (depthBlocks + channelBlocks) * rowsPerChunk * blockWidth
      + depthBlocks * channelBlocks * blockWidth * blockWidth
  }

  /// dWeight = patches^T * dOutput, in the storage order of the weights. Writes (`=`).
  func backwardWeight(
    _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let rows = geometry.output.rows
    let outputs = geometry.outputChannels
    let blockStride = rowsPerChunk * blockWidth
    let matrix = scratch
    let gradients = matrix + depthBlocks * blockStride
    let products = gradients + channelBlocks * blockStride
    // Columns of the last block that no tap writes.
    (matrix + (depthBlocks - 1) * blockStride).update(repeating: 0, count: blockStride)
    if rows == 0 { return dWeight.update(repeating: 0, count: geometry.weightCount) }
    for first in stride(from: 0, to: rows, by: rowsPerChunk) {
      let count = min(rowsPerChunk, rows - first)
      WorkerPool.shared.forEach(ceilDivide(count, 64)) { item, _ in
        let row = item * 64
        let part = min(64, count - row)
        patches.gather(
          input, first: first + row, count: part, blockStride: blockStride,
          into: matrix + row * blockWidth)
        packBlocks(
          dOutput + (first + row) * outputs, rows: part, columns: outputs, rowStride: outputs,
          blockStride: blockStride, into: gradients + row * blockWidth)
      }
      WorkerPool.shared.forEach(depthBlocks * channelBlocks) { item, _ in
        let (depthBlock, channelBlock) = item.quotientAndRemainder(dividingBy: channelBlocks)
        multiplyTransposedBlock(
          matrix + depthBlock * blockStride,
          rowCount: min(blockWidth, geometry.depth - depthBlock * blockWidth),
          gradients + channelBlock * blockStride,
          columnCount: min(blockWidth, outputs - channelBlock * blockWidth), depth: count,
          into: products + item * blockWidth * blockWidth, accumulates: first > 0)
      }
    }
    WorkerPool.shared.forEach(depthBlocks) { depthBlock, _ in
      for row in 0..<min(blockWidth, geometry.depth - depthBlock * blockWidth) {
        let target = dWeight + (depthBlock * blockWidth + row) * outputs
        for o in 0..<outputs {
          let product = products + (depthBlock * channelBlocks + o / blockWidth) * 1024
          target[o] = product[row * blockWidth + o % blockWidth]
        }
      }
    }
  }
}
