private typealias Multiply =
  @Sendable (
    UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>, Int,
    UnsafePointer<Float>?, Float, Bool, UnsafeRawPointer, Int
  ) -> Void

private typealias MultiplyBFloat16 =
  @Sendable (
    UnsafePointer<BFloat16>, Int, UnsafePointer<BFloat16>, Int, UnsafeMutablePointer<Float>, Int,
    Bool
  ) -> Void

private typealias MultiplyTransposed =
  @Sendable (
    UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>, Bool
  ) -> Void

/// Entry r - 1 computes a tile of r rows and one operand, for the last columns of a matrix; entry
/// `mostNarrowRows` + r - 1 one of r rows and two operands. The tiles that this instruction set has no
/// registers for are not compiled.
private let multiplyTile: [Multiply] =
  TileShape.mostRows > 6
  ? [
    GemmTile<1, 1>.multiply, GemmTile<2, 1>.multiply, GemmTile<3, 1>.multiply,
    GemmTile<4, 1>.multiply, GemmTile<5, 1>.multiply, GemmTile<6, 1>.multiply,
    GemmTile<7, 1>.multiply, GemmTile<8, 1>.multiply, GemmTile<9, 1>.multiply,
    GemmTile<10, 1>.multiply, GemmTile<11, 1>.multiply, GemmTile<12, 1>.multiply,
    GemmTile<13, 1>.multiply, GemmTile<14, 1>.multiply,
    GemmTile<1, 2>.multiply, GemmTile<2, 2>.multiply, GemmTile<3, 2>.multiply,
    GemmTile<4, 2>.multiply, GemmTile<5, 2>.multiply, GemmTile<6, 2>.multiply,
    GemmTile<7, 2>.multiply, GemmTile<8, 2>.multiply, GemmTile<9, 2>.multiply,
    GemmTile<10, 2>.multiply, GemmTile<11, 2>.multiply, GemmTile<12, 2>.multiply,
    GemmTile<13, 2>.multiply, GemmTile<14, 2>.multiply,
  ]
  : [
    GemmTile<1, 1>.multiply, GemmTile<2, 1>.multiply, GemmTile<3, 1>.multiply,
    GemmTile<4, 1>.multiply, GemmTile<5, 1>.multiply, GemmTile<6, 1>.multiply,
    GemmTile<7, 1>.multiply, GemmTile<8, 1>.multiply, GemmTile<9, 1>.multiply,
    GemmTile<10, 1>.multiply, GemmTile<11, 1>.multiply, GemmTile<12, 1>.multiply,
    GemmTile<1, 2>.multiply, GemmTile<2, 2>.multiply, GemmTile<3, 2>.multiply,
    GemmTile<4, 2>.multiply, GemmTile<5, 2>.multiply, GemmTile<6, 2>.multiply,
  ]

private let multiplyBFloat16Tile: [MultiplyBFloat16] =
  TileShape.mostRows > 6
  ? [
    BFloat16Tile<1, 1>.multiply, BFloat16Tile<2, 1>.multiply, BFloat16Tile<3, 1>.multiply,
    BFloat16Tile<4, 1>.multiply, BFloat16Tile<5, 1>.multiply, BFloat16Tile<6, 1>.multiply,
    BFloat16Tile<7, 1>.multiply, BFloat16Tile<8, 1>.multiply, BFloat16Tile<9, 1>.multiply,
    BFloat16Tile<10, 1>.multiply, BFloat16Tile<11, 1>.multiply, BFloat16Tile<12, 1>.multiply,
    BFloat16Tile<13, 1>.multiply, BFloat16Tile<14, 1>.multiply,
    BFloat16Tile<1, 2>.multiply, BFloat16Tile<2, 2>.multiply, BFloat16Tile<3, 2>.multiply,
    BFloat16Tile<4, 2>.multiply, BFloat16Tile<5, 2>.multiply, BFloat16Tile<6, 2>.multiply,
    BFloat16Tile<7, 2>.multiply, BFloat16Tile<8, 2>.multiply, BFloat16Tile<9, 2>.multiply,
    BFloat16Tile<10, 2>.multiply, BFloat16Tile<11, 2>.multiply, BFloat16Tile<12, 2>.multiply,
    BFloat16Tile<13, 2>.multiply, BFloat16Tile<14, 2>.multiply,
  ]
  : [
    BFloat16Tile<1, 1>.multiply, BFloat16Tile<2, 1>.multiply, BFloat16Tile<3, 1>.multiply,
    BFloat16Tile<4, 1>.multiply, BFloat16Tile<5, 1>.multiply, BFloat16Tile<6, 1>.multiply,
    BFloat16Tile<7, 1>.multiply, BFloat16Tile<8, 1>.multiply, BFloat16Tile<9, 1>.multiply,
    BFloat16Tile<10, 1>.multiply, BFloat16Tile<11, 1>.multiply, BFloat16Tile<12, 1>.multiply,
    BFloat16Tile<1, 2>.multiply, BFloat16Tile<2, 2>.multiply, BFloat16Tile<3, 2>.multiply,
    BFloat16Tile<4, 2>.multiply, BFloat16Tile<5, 2>.multiply, BFloat16Tile<6, 2>.multiply,
  ]

private let multiplyTransposedTile: [MultiplyTransposed] =
  TileShape.mostTransposedRows > 5
  ? [
    GemmTile<1, 1>.multiplyTransposed, GemmTile<2, 1>.multiplyTransposed,
    GemmTile<3, 1>.multiplyTransposed, GemmTile<4, 1>.multiplyTransposed,
    GemmTile<5, 1>.multiplyTransposed, GemmTile<6, 1>.multiplyTransposed,
    GemmTile<7, 1>.multiplyTransposed, GemmTile<8, 1>.multiplyTransposed,
    GemmTile<9, 1>.multiplyTransposed, GemmTile<10, 1>.multiplyTransposed,
    GemmTile<11, 1>.multiplyTransposed,
    GemmTile<1, 2>.multiplyTransposed, GemmTile<2, 2>.multiplyTransposed,
    GemmTile<3, 2>.multiplyTransposed, GemmTile<4, 2>.multiplyTransposed,
    GemmTile<5, 2>.multiplyTransposed, GemmTile<6, 2>.multiplyTransposed,
    GemmTile<7, 2>.multiplyTransposed, GemmTile<8, 2>.multiplyTransposed,
    GemmTile<9, 2>.multiplyTransposed, GemmTile<10, 2>.multiplyTransposed,
    GemmTile<11, 2>.multiplyTransposed,
  ]
  : [
    GemmTile<1, 1>.multiplyTransposed, GemmTile<2, 1>.multiplyTransposed,
    GemmTile<3, 1>.multiplyTransposed, GemmTile<4, 1>.multiplyTransposed,
    GemmTile<5, 1>.multiplyTransposed, GemmTile<6, 1>.multiplyTransposed,
    GemmTile<7, 1>.multiplyTransposed, GemmTile<8, 1>.multiplyTransposed,
    GemmTile<1, 2>.multiplyTransposed, GemmTile<2, 2>.multiplyTransposed,
    GemmTile<3, 2>.multiplyTransposed, GemmTile<4, 2>.multiplyTransposed,
    GemmTile<5, 2>.multiplyTransposed,
  ]

/// Products summed up in one accumulator before the sum is added to the others in memory. Summing in
/// parts keeps the rounding error of long sums near the error of short ones, and the part of B that
/// a tile reads stays in the L1 cache during the loop over rows.
private let depthPerSum = 128

/// With at most so many rows, a part of B is multiplied faster than memory brings the next part: each
/// tile prefetches its share of it. With more rows, prefetching only takes time (up to 6 % of a layer
/// of 320 or 640 channels).
private let mostRowsAhead = 32

/// Multiplies `rowCount` rows of a blocked matrix with one block of at most 32 columns.
///
///     c[r, j] = leaky(sum_k a[r, k] b[k, j] + bias[j])        r < rowCount, j < columnCount
///
/// Writes (`=`), in whole vectors: up to the next multiple of `Vector.scalarCount` columns; with
/// `accumulates`, the content of `c` takes the place of the bias. Operands must
/// not overlap; allocates nothing. See `GemmTile.multiply` for the layouts.
func multiplyBlock(
  _ a: UnsafePointer<Float>, blockStride: Int, rowCount: Int, _ b: UnsafePointer<Float>,
  depth: Int, columnCount: Int = blockWidth, into c: UnsafeMutablePointer<Float>, rowStride: Int,
  bias: UnsafePointer<Float>? = nil, slope: Float = 1, accumulates: Bool = false
) {
  guard rowCount > 0 else { return }
  let tiles = blockWidth / TileShape.columns &* ceilDivide(rowCount, TileShape.mostRows)
  let prefetchStride = rowCount <= mostRowsAhead ? blockWidth &* 4 / tiles : 0
  var k = 0
  repeat {
    let part = min(depthPerSum, depth &- k)
    let isLast = k &+ part == depth
    let a = a + k / blockWidth &* blockStride
    let b = b + k &* blockWidth
    var prefetch = UnsafeRawPointer(b + part &* blockWidth)
    forEachTileColumn(columnCount) { column, isWide in
      let most = isWide ? TileShape.mostRows : TileShape.mostNarrowRows
      forEachTile(rowCount, most: most) { first, rows in
        multiplyTile[(isWide ? TileShape.mostNarrowRows : 0) &+ rows &- 1](
          a + first &* blockWidth, blockStride, b + column, part,
          c + (first &* rowStride &+ column), rowStride, bias.map { $0 + column },
          isLast ? slope : 1, accumulates || k > 0, prefetch, prefetchStride)
        prefetch += part &* prefetchStride
      }
    }
    k &+= part
  } while k < depth
}

/// The same of bfloat16 operands, in float32 and without bias and activation. See
/// `BFloat16Tile.multiply` for the layouts.
func multiplyBlock(
  _ a: UnsafePointer<BFloat16>, blockStride: Int, rowCount: Int, _ b: UnsafePointer<BFloat16>,
  depth: Int, columnCount: Int = blockWidth, into c: UnsafeMutablePointer<Float>, rowStride: Int,
  accumulates: Bool = false
) {
  forEachTileColumn(columnCount) { column, isWide in
    let most = isWide ? TileShape.mostRows : TileShape.mostNarrowRows
    forEachTile(rowCount, most: most) { first, rows in
      multiplyBFloat16Tile[(isWide ? TileShape.mostNarrowRows : 0) &+ rows &- 1](
        a + first &* blockWidth, blockStride, b + 2 &* column, depth,
        c + (first &* rowStride &+ column), rowStride, accumulates)
    }
  }
}

/// Multiplies the transpose of a 32-column block with another block.
///
///     c[r, j] = sum_t a[t, r] b[t, j]   (+= if accumulates)      r < rowCount, j < columnCount
///
/// `a` and `b` are `[depth][32]`, `c` is `[32][32]`, which is written in whole vectors. Allocates
/// nothing.
func multiplyTransposedBlock(
  _ a: UnsafePointer<Float>, rowCount: Int = blockWidth, _ b: UnsafePointer<Float>,
  columnCount: Int = blockWidth, depth: Int, into c: UnsafeMutablePointer<Float>, accumulates: Bool
) {
  // So much of both matrices stays in the first cache while their columns pass by.
  let depthStep = 128
  var first = 0
  repeat {
    let part = min(depthStep, depth &- first)
    let (a, b) = (a + first &* blockWidth, b + first &* blockWidth)
    let accumulates = accumulates || first > 0
    forEachTileColumn(columnCount) { column, isWide in
      let most = isWide ? TileShape.mostTransposedRows : TileShape.mostNarrowTransposedRows
      forEachTile(rowCount, most: most) { row, rows in
        multiplyTransposedTile[
          (isWide ? TileShape.mostNarrowTransposedRows : 0) &+ rows &- 1](
            a + row, b + column, part, c + (row &* blockWidth &+ column), accumulates)
      }
    }
    first &+= part
  } while first < depth
}

/// Covers the columns of a block by tiles, of which the last may be narrow: the part of B that a tile
/// reads stays in the first cache while the rows pass by.
@inline(__always)
private func forEachTileColumn(_ count: Int, _ body: (_ column: Int, _ isWide: Bool) -> Void) {
  var column = 0
  while column < count {
    body(column, count &- column > TileShape.lanes)
    column &+= TileShape.columns
  }
}

/// Splits `count` rows into as few tiles as possible, as even as possible.
@inline(__always)
private func forEachTile(_ count: Int, most: Int, _ body: (_ first: Int, _ rows: Int) -> Void) {
  let tiles = (count &+ most &- 1) / most
  guard tiles > 0 else { return }
  let (rows, longer) = count.quotientAndRemainder(dividingBy: tiles)
  var first = 0
  for tile in 0..<tiles {
    let size = tile < longer ? rows &+ 1 : rows
    body(first, size)
    first &+= size
  }
}
