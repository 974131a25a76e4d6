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

/// Entry r - 1 computes a tile of r rows. The tiles that this instruction set has no registers for
/// are not compiled.
private let multiplyTile: [Multiply] =
  TileShape.mostRows > 6
  ? [
    GemmTile<1>.multiply, GemmTile<2>.multiply, GemmTile<3>.multiply,
    GemmTile<4>.multiply, GemmTile<5>.multiply, GemmTile<6>.multiply,
    GemmTile<7>.multiply, GemmTile<8>.multiply, GemmTile<9>.multiply,
    GemmTile<10>.multiply, GemmTile<11>.multiply, GemmTile<12>.multiply,
    GemmTile<13>.multiply, GemmTile<14>.multiply,
  ]
  : [
    GemmTile<1>.multiply, GemmTile<2>.multiply, GemmTile<3>.multiply,
    GemmTile<4>.multiply, GemmTile<5>.multiply, GemmTile<6>.multiply,
  ]

private let multiplyBFloat16Tile: [MultiplyBFloat16] =
  TileShape.mostRows > 6
  ? [
    BFloat16Tile<1>.multiply, BFloat16Tile<2>.multiply, BFloat16Tile<3>.multiply,
    BFloat16Tile<4>.multiply, BFloat16Tile<5>.multiply, BFloat16Tile<6>.multiply,
    BFloat16Tile<7>.multiply, BFloat16Tile<8>.multiply, BFloat16Tile<9>.multiply,
    BFloat16Tile<10>.multiply, BFloat16Tile<11>.multiply, BFloat16Tile<12>.multiply,
    BFloat16Tile<13>.multiply, BFloat16Tile<14>.multiply,
  ]
  : [
    BFloat16Tile<1>.multiply, BFloat16Tile<2>.multiply, BFloat16Tile<3>.multiply,
    BFloat16Tile<4>.multiply, BFloat16Tile<5>.multiply, BFloat16Tile<6>.multiply,
  ]

private let multiplyTransposedTile: [MultiplyTransposed] =
  TileShape.mostTransposedRows > 5
  ? [
    GemmTile<1>.multiplyTransposed, GemmTile<2>.multiplyTransposed,
    GemmTile<3>.multiplyTransposed, GemmTile<4>.multiplyTransposed,
    GemmTile<5>.multiplyTransposed, GemmTile<6>.multiplyTransposed,
    GemmTile<7>.multiplyTransposed, GemmTile<8>.multiplyTransposed,
    GemmTile<9>.multiplyTransposed, GemmTile<10>.multiplyTransposed,
    GemmTile<11>.multiplyTransposed,
  ]
  : [
    GemmTile<1>.multiplyTransposed, GemmTile<2>.multiplyTransposed,
    GemmTile<3>.multiplyTransposed, GemmTile<4>.multiplyTransposed,
    GemmTile<5>.multiplyTransposed,
  ]

/// Products summed up in one accumulator before the sum is added to the others in memory. Summing in
/// parts keeps the rounding error of long sums near the error of short ones, and the part of B that
/// a tile reads stays in the L1 cache during the loop over rows.
private let depthPerSum = 128

/// With at most so many rows, a part of B is multiplied faster than memory brings the next part: each
/// tile prefetches its share of it. With more rows, prefetching only takes time (up to 6 % of a layer
/// of 320 or 640 channels).
private let mostRowsAhead = 32

/// Multiplies `rowCount` rows of a blocked matrix with one block of 32 columns.
///
///     c[r, j] = leaky(sum_k a[r, k] b[k, j] + bias[j])        r < rowCount, j < 32
///
/// Writes (`=`); with `accumulates`, the content of `c` takes the place of the bias. Operands must
/// not overlap; allocates nothing. See `GemmTile.multiply` for the layouts.
func multiplyBlock(
  _ a: UnsafePointer<Float>, blockStride: Int, rowCount: Int, _ b: UnsafePointer<Float>,
  depth: Int, into c: UnsafeMutablePointer<Float>, rowStride: Int,
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
    forEachTileColumn { column in
      forEachTile(rowCount, most: TileShape.mostRows) { first, rows in
        multiplyTile[rows &- 1](
          a + first &* blockWidth, blockStride, b + column, part,
          c + (first &* rowStride &+ column), rowStride, bias.map { $0 + column },
          isLast ? slope : 1, accumulates || k > 0, prefetch, prefetchStride)
        prefetch += part &* prefetchStride
      }
    }
    k &+= part
  } while k < depth
}

/// The same of bfloat16 operands, in float32 and without bias and activation; `depth` is a multiple
/// of 32. See `BFloat16Tile.multiply` for the layouts.
func multiplyBlock(
  _ a: UnsafePointer<BFloat16>, blockStride: Int, rowCount: Int, _ b: UnsafePointer<BFloat16>,
  depth: Int, into c: UnsafeMutablePointer<Float>, rowStride: Int, accumulates: Bool = false
) {
  forEachTileColumn { column in
    forEachTile(rowCount, most: TileShape.mostRows) { first, rows in
      multiplyBFloat16Tile[rows &- 1](
        a + first &* blockWidth, blockStride, b + 2 &* column, depth,
        c + (first &* rowStride &+ column), rowStride, accumulates)
    }
  }
}

/// Multiplies the transpose of a 32-column block with another block.
///
///     c[r, j] = sum_t a[t, r] b[t, j]   (+= if accumulates)      r < columnCount <= 32, j < 32
///
/// `a` and `b` are `[depth][32]`, `c` is `[32][32]`. Allocates nothing.
func multiplyTransposedBlock(
  _ a: UnsafePointer<Float>, columnCount: Int = blockWidth, _ b: UnsafePointer<Float>, depth: Int,
  into c: UnsafeMutablePointer<Float>, accumulates: Bool
) {
  // So much of both matrices stays in the first cache while their columns pass by.
  let depthStep = 128
  var first = 0
  repeat {
    let part = min(depthStep, depth &- first)
    let (a, b) = (a + first &* blockWidth, b + first &* blockWidth)
    let accumulates = accumulates || first > 0
    forEachTileColumn { column in
      forEachTile(columnCount, most: TileShape.mostTransposedRows) { row, rows in
        multiplyTransposedTile[rows &- 1](
          a + row, b + column, part, c + (row &* blockWidth &+ column), accumulates)
      }
    }
    first &+= part
  } while first < depth
}

/// Covers the columns of a block by tiles: the part of B that a tile reads stays in the first cache
/// while the rows pass by.
@inline(__always)
private func forEachTileColumn(_ body: (_ column: Int) -> Void) {
  var column = 0
  while column < blockWidth {
    body(column)
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
