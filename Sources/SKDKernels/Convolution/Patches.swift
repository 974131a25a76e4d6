/// Gathers and scatters the input patches of a convolution: the rows of its matrix product.
///
/// Row p belongs to output position p (image, row, column in C order); its `depth` columns are the
/// inputs under the kernel, ordered (kernel row, kernel column, channel). Outside the image they
/// are zero.
struct Patches {
  let geometry: Conv2DGeometry
  private let outputHeight: Int
  private let outputWidth: Int

  init(_ geometry: Conv2DGeometry) {
    self.geometry = geometry
    (outputHeight, outputWidth) = (geometry.output.height, geometry.output.width)
  }

  /// Writes rows `first..<first + count` as a blocked matrix whose blocks are `blockStride` apart.
  /// Columns from `depth` up to the next multiple of 32 are left as they are.
  func gather(
    _ input: UnsafePointer<Float>, first: Int, count: Int, blockStride: Int,
    into matrix: UnsafeMutablePointer<Float>
  ) {
    let run = geometry.kernelSize &* geometry.input.channels
    let rowStride = geometry.input.width &* geometry.input.channels
    var target = matrix
    forEachWindow(first: first, count: count) { window in
      let source = input + window.corner
      if window.isInside {
        if isNarrow {
          copyKernelRows(source, run, rowStride, into: target)
        } else {
          for y in 0..<geometry.kernelSize {
            copyRun(source + y &* rowStride, from: y &* run, run, blockStride, into: target)
          }
        }
      } else {
        copyPart(source, window, run, rowStride, blockStride, into: target)
      }
      target += blockWidth
    }
  }

  /// Whether a whole patch fits into one block, and a row of the kernel into one vector, as in the
  /// first layer of a network.
  private var isNarrow: Bool {
    geometry.depth <= blockWidth && (8...16).contains(geometry.kernelSize * geometry.input.channels)
  }

  /// Copies the rows of a patch, each of 8 to 16 values, by two vectors that overlap.
  @inline(__always)
  private func copyKernelRows(
    _ source: UnsafePointer<Float>, _ run: Int, _ rowStride: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    for y in 0..<geometry.kernelSize {
      let from = UnsafeRawPointer(source + y &* rowStride)
      let to = UnsafeMutableRawPointer(target + y &* run)
      let last = (run &- 8) &* 4
      to.storeBytes(of: from.loadUnaligned(as: SIMD8<Float>.self), as: SIMD8<Float>.self)
      to.storeBytes(
        of: from.loadUnaligned(fromByteOffset: last, as: SIMD8<Float>.self), toByteOffset: last,
        as: SIMD8<Float>.self)
    }
  }

  /// Copies what a patch that reaches beyond the image has inside of it, and zeroes the rest.
  private func copyPart(
    _ source: UnsafePointer<Float>, _ window: Window, _ run: Int, _ rowStride: Int,
    _ blockStride: Int, into target: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.input.channels
    let (start, end) = (
      window.columns.lowerBound &* channels, window.columns.upperBound &* channels
    )
    for y in 0..<geometry.kernelSize {
      let column = y &* run
      guard window.rows.contains(y) && start < end else {
        zeroRun(from: column, run, blockStride, in: target)
        continue
      }
      zeroRun(from: column, start, blockStride, in: target)
      copyRun(
        source + (y &* rowStride &+ start), from: column &+ start, end &- start, blockStride,
        into: target)
      zeroRun(from: column &+ end, run &- end, blockStride, in: target)
    }
  }

  /// Adds (`+=`) rows `first..<first + count` of a row-major matrix of `rowStride` columns to the
  /// inputs they came from.
  func scatterAdd(
    _ matrix: UnsafePointer<Float>, first: Int, count: Int, rowStride: Int,
    into input: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.input.channels
    let run = geometry.kernelSize &* channels
    let inputStride = geometry.input.width &* channels
    var row = matrix
    forEachWindow(first: first, count: count) { window in
      let start = window.columns.lowerBound &* channels
      let length = window.columns.count &* channels
      for y in window.rows {
        let target = input + (window.corner &+ y &* inputStride &+ start)
        let source = row + (y &* run &+ start)
        forEachVector(length) { c, lanes in
          let sum = target.vector(at: c, lanes: lanes) + source.vector(at: c, lanes: lanes)
          target.store(sum, at: c, lanes: lanes)
        }
      }
      row += rowStride
    }
  }

  // MARK: Windows

  /// The inputs under the kernel at one output position.
  private struct Window {
    /// Offset of the first row and column, which may lie outside the image.
    let corner: Int
    /// The rows and columns of the kernel that are inside the image.
    let rows, columns: Range<Int>
    let isInside: Bool
  }

  /// Calls `body` for output positions `first..<first + count`, in order.
  @inline(__always)
  private func forEachWindow(first: Int, count: Int, _ body: (Window) -> Void) {
    let (input, kernelSize) = (geometry.input, geometry.kernelSize)
    let (rowOfAll, firstColumn) = first.quotientAndRemainder(dividingBy: outputWidth)
    var (image, row) = rowOfAll.quotientAndRemainder(dividingBy: outputHeight)
    var column = firstColumn
    for _ in 0..<count {
      let top = row &* geometry.stride &- geometry.padding
      let left = column &* geometry.stride &- geometry.padding
      let rows = inside(top, input.height)
      let columns = inside(left, input.width)
      body(
        Window(
          corner: ((image &* input.height &+ top) &* input.width &+ left) &* input.channels,
          rows: rows, columns: columns,
          isInside: rows.count == kernelSize && columns.count == kernelSize))
      column &+= 1
      if column == outputWidth { (column, row) = (0, row &+ 1) }
      if row == outputHeight { (row, image) = (0, image &+ 1) }
    }
  }

  /// The taps that lie inside an axis of `side` pixels if the first of them is at `start`.
  @inline(__always)
  private func inside(_ start: Int, _ side: Int) -> Range<Int> {
    let first = min(max(0, 0 &- start), geometry.kernelSize)
    return first..<max(first, min(geometry.kernelSize, side &- start))
  }
}

/// Copies `count` values to columns `column...` of one row of a blocked matrix.
@inline(__always)
private func copyRun(
  _ source: UnsafePointer<Float>, from column: Int, _ count: Int, _ blockStride: Int,
  into row: UnsafeMutablePointer<Float>
) {
  if column % blockWidth == 0 && count % blockWidth == 0 {
    var target = UnsafeMutableRawPointer(row + column / blockWidth * blockStride)
    var source = UnsafeRawPointer(source)
    for _ in 0..<count / blockWidth {
      target.storeBytes(of: source.loadUnaligned(as: SIMD16<Float>.self), as: SIMD16<Float>.self)
      target.storeBytes(
        of: source.loadUnaligned(fromByteOffset: 64, as: SIMD16<Float>.self), toByteOffset: 64,
        as: SIMD16<Float>.self)
      target += blockStride * 4
      source += 128
    }
  } else {
    forEachPart(from: column, count) { start, column, length in
      let target = row + (column / blockWidth &* blockStride &+ column % blockWidth)
      let source = source + start
      forEachVector(length) { c, lanes in
        target.store(source.vector(at: c, lanes: lanes), at: c, lanes: lanes)
      }
    }
  }
}

/// Zeroes columns `column..<column + count` of one row of a blocked matrix.
private func zeroRun(
  from column: Int, _ count: Int, _ blockStride: Int, in row: UnsafeMutablePointer<Float>
) {
  forEachPart(from: column, count) { _, column, length in
    (row + (column / blockWidth &* blockStride &+ column % blockWidth))
      .update(repeating: 0, count: length)
  }
}

/// Splits columns `column..<column + count` at the ends of blocks.
@inline(__always)
private func forEachPart(
  from column: Int, _ count: Int, _ body: (_ start: Int, _ column: Int, _ length: Int) -> Void
) {
  var start = 0
  while start < count {
    let length = min(blockWidth &- (column &+ start) % blockWidth, count &- start)
    body(start, column &+ start, length)
    start &+= length
  }
}

/// Copies a row-major matrix into blocks: `[ceil(columns / 32)][blockStride / 32 rows][32]`.
///
/// Columns beyond `columns` in the last block are zeroed. Allocates nothing.
func packBlocks(
  _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, rowStride: Int, blockStride: Int,
  into blocks: UnsafeMutablePointer<Float>
) {
  for block in 0..<ceilDivide(columns, blockWidth) {
    let first = block * blockWidth
    let width = min(blockWidth, columns - first)
    var target = blocks + block * blockStride
    var source = matrix + first
    for _ in 0..<rows {
      if width == blockWidth {
        for j in 0..<blockWidth { target[j] = source[j] }
      } else {
        for j in stride(from: 0, to: blockWidth, by: Vector.scalarCount) {
          let lanes = min(Vector.scalarCount, max(0, width &- j))
          target.store(source.vector(at: j, lanes: lanes), at: j)
        }
      }
      target += blockWidth
      source += rowStride
    }
  }
}
