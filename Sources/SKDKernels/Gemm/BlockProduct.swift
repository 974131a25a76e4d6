private typealias Multiply =
  @Sendable (
    UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>, Int,
    UnsafePointer<Float>?, Float
  ) -> Void

private typealias MultiplyTransposed =
  @Sendable (
    UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>, Bool
  ) -> Void

/// Entry r - 1 computes a tile of r rows.
private let multiplyTile: [Multiply] = [
  GemmTile<1>.multiply, GemmTile<2>.multiply, GemmTile<3>.multiply,
  GemmTile<4>.multiply, GemmTile<5>.multiply, GemmTile<6>.multiply,
  GemmTile<7>.multiply, GemmTile<8>.multiply, GemmTile<9>.multiply,
  GemmTile<10>.multiply, GemmTile<11>.multiply, GemmTile<12>.multiply,
  GemmTile<13>.multiply, GemmTile<14>.multiply,
]

private let multiplyTransposedTile: [MultiplyTransposed] = [
  GemmTile<1>.multiplyTransposed, GemmTile<2>.multiplyTransposed, GemmTile<3>.multiplyTransposed,
  GemmTile<4>.multiplyTransposed, GemmTile<5>.multiplyTransposed, GemmTile<6>.multiplyTransposed,
  GemmTile<7>.multiplyTransposed, GemmTile<8>.multiplyTransposed, GemmTile<9>.multiplyTransposed,
  GemmTile<10>.multiplyTransposed, GemmTile<11>.multiplyTransposed,
]

/// Multiplies `rowCount` rows of a blocked matrix with one block of 32 columns.
///
///     c[r, j] = leaky(sum_k a[r, k] b[k, j] + bias[j])        r < rowCount, j < 32
///
/// Writes (`=`); operands must not overlap; allocates nothing. See `GemmTile.multiply` for the
/// layouts.
func multiplyBlock(
  _ a: UnsafePointer<Float>, blockStride: Int, rowCount: Int, _ b: UnsafePointer<Float>,
  depth: Int, into c: UnsafeMutablePointer<Float>, rowStride: Int,
  bias: UnsafePointer<Float>? = nil, slope: Float = 1
) {
  forEachTile(rowCount, most: multiplyTile.count) { first, rows in
    multiplyTile[rows &- 1](
      a + first &* blockWidth, blockStride, b, depth, c + first &* rowStride, rowStride, bias,
      slope)
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
  forEachTile(columnCount, most: multiplyTransposedTile.count) { first, rows in
    multiplyTransposedTile[rows &- 1](a + first, b, depth, c + first &* blockWidth, accumulates)
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
