internal import CIntrinsics

/// A tile of a product of bfloat16 matrices, `rows` x `TileShape.columns`, accumulated in float32;
/// see `GemmTile`.
struct BFloat16Tile<let rows: Int> {
  private typealias Accumulators = InlineArray<rows, Vector>

  /// c[r, j] = sum_k a[r, k] b[k, j], or += if `accumulates`.
  ///
  /// - Parameters:
  ///   - a: Blocked, first row of the tile; element (r, k) at
  ///     `(k / 32) * blockStride + r * 32 + k % 32`.
  ///   - b: `[depth / 2][32][2]`, first column of the tile.
  ///   - depth: A multiple of 32.
  ///   - c: Row-major, rows `rowStride` apart; the tile's columns are written.
  @inline(__always)
  static func multiply(
    _ a: UnsafePointer<BFloat16>, blockStride: Int, _ b: UnsafePointer<BFloat16>, depth: Int,
    into c: UnsafeMutablePointer<Float>, rowStride: Int, accumulates: Bool
  ) {
    var left = Accumulators { _ in Vector(repeating: 0) }
    var right = Accumulators { _ in Vector(repeating: 0) }
    var block = UnsafeRawPointer(a)
    var bRow = UnsafeRawPointer(b)
    for _ in 0..<depth / blockWidth {
      for pair in 0..<blockWidth / 2 {
        let b0 = bRow.load(as: skd_tile_pairs.self)
        let b1 = bRow.load(
          fromByteOffset: MemoryLayout<skd_tile_pairs>.size, as: skd_tile_pairs.self)
        for r in 0..<rows {
          let value = skd_tile_pairs(
            repeating: block.load(
              fromByteOffset: r &* blockWidth &* 2 &+ pair &* 4, as: UInt32.self))
          left[r] = skd_add_pair_products(left[r], value, b0)
          right[r] = skd_add_pair_products(right[r], value, b1)
        }
        bRow += blockWidth &* 4
      }
      block += blockStride &* 2
    }
    var row = c
    for r in 0..<rows {
      if accumulates {
        left[r] += UnsafePointer(row).vector(at: 0)
        right[r] += UnsafePointer(row).vector(at: Vector.scalarCount)
      }
      row.store(left[r], at: 0)
      row.store(right[r], at: Vector.scalarCount)
      row += rowStride
    }
  }
}
