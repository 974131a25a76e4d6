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
    let channels = geometry.input.channels
    for row in 0..<count {
      let target = matrix + row * blockWidth
      if isNarrow, let corner = corner(of: first + row) {
        copyKernelRows(input + corner, into: target)
        continue
      }
      forEachTap(of: first + row) { column, source in
        if let source {
          copyRun(input + source, from: column, channels, blockStride, into: target)
        } else {
          zeroRun(from: column, channels, blockStride, in: target)
        }
      }
    }
  }

  /// Whether a whole patch fits into one block, and a row of the kernel into one vector, as in the
  /// first layer of a network.
  private var isNarrow: Bool {
    geometry.depth <= blockWidth && (8...16).contains(geometry.kernelSize * geometry.input.channels)
  }

  /// Offset of the patch of output position `p`, or nil if it reaches beyond the image.
  @inline(__always)
  private func corner(of position: Int) -> Int? {
    let input = geometry.input
    let (rowOfAll, outputColumn) = position.quotientAndRemainder(dividingBy: outputWidth)
    let (image, outputRow) = rowOfAll.quotientAndRemainder(dividingBy: outputHeight)
    let top = outputRow &* geometry.stride &- geometry.padding
    let left = outputColumn &* geometry.stride &- geometry.padding
    let isInside =
      top >= 0 && left >= 0 && top &+ geometry.kernelSize <= input.height
      && left &+ geometry.kernelSize <= input.width
    return isInside
      ? ((image &* input.height &+ top) &* input.width &+ left) &* input.channels : nil
  }

  /// Copies the rows of a patch, each of 8 to 16 values, by two vectors that overlap.
  @inline(__always)
  private func copyKernelRows(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    let run = geometry.kernelSize &* geometry.input.channels
    let rowStride = geometry.input.width &* geometry.input.channels
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

  /// Adds (`+=`) rows `first..<first + count` of a row-major matrix of `rowStride` columns to the
  /// inputs they came from.
  func scatterAdd(
    _ matrix: UnsafePointer<Float>, first: Int, count: Int, rowStride: Int,
    into input: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.input.channels
    for row in 0..<count {
      forEachTap(of: first + row) { column, target in
        guard let target else { return }
        let source = matrix + row * rowStride + column
        for c in 0..<channels { input[target + c] += source[c] }
      }
    }
  }

  /// Calls `body(first column, offset in the input or nil)` for every tap of output position `p`.
  @inline(__always)
  private func forEachTap(of position: Int, _ body: (_ column: Int, _ offset: Int?) -> Void) {
    let input = geometry.input
    let (rowOfAll, outputColumn) = position.quotientAndRemainder(dividingBy: outputWidth)
    let (image, outputRow) = rowOfAll.quotientAndRemainder(dividingBy: outputHeight)
    let top = outputRow * geometry.stride - geometry.padding
    let left = outputColumn * geometry.stride - geometry.padding
    var column = 0
    for y in top..<top + geometry.kernelSize {
      for x in left..<left + geometry.kernelSize {
        let isInside = y >= 0 && y < input.height && x >= 0 && x < input.width
        let offset = ((image * input.height + y) * input.width + x) * input.channels
        body(column, isInside ? offset : nil)
        column += input.channels
      }
    }
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
    for i in 0..<count {
      row[(column + i) / blockWidth * blockStride + (column + i) % blockWidth] = source[i]
    }
  }
}

/// Zeroes columns `column..<column + count` of one row of a blocked matrix.
@inline(__always)
private func zeroRun(
  from column: Int, _ count: Int, _ blockStride: Int, in row: UnsafeMutablePointer<Float>
) {
  for i in column..<column + count {
    row[i / blockWidth * blockStride + i % blockWidth] = 0
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
        for j in 0..<blockWidth { target[j] = j < width ? source[j] : 0 }
      }
      target += blockWidth
      source += rowStride
    }
  }
}
