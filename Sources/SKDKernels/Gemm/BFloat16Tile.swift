internal import CIntrinsics

/// A tile of a product of bfloat16 matrices, `rows` times one or two operands wide, accumulated in
/// float32; see `GemmTile`.
struct BFloat16Tile<let rows: Int, let operands: Int> {
  private typealias Accumulators = InlineArray<rows, Vector>

  /// c[r, j] = sum_k a[r, k] b[k, j], or += if `accumulates`.
  ///
  /// - Parameters:
  ///   - a: Blocked, first row of the tile; element (r, k) at
  ///     `(k / 32) * blockStride + r * 32 + k % 32`.
  ///   - b: `[depth / 2][32][2]`, first column of the tile.
  ///   - depth: If it is odd, the values behind the last ones must be 0.
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
    var remaining = (depth &+ 1) / 2
    while remaining > 0 {
      let pairs = remaining < blockWidth / 2 ? remaining : blockWidth / 2
      for pair in 0..<pairs {
        let b0 = bRow.load(as: skd_tile_pairs.self)
        let b1 =
          operands > 1
          ? bRow.load(fromByteOffset: MemoryLayout<skd_tile_pairs>.size, as: skd_tile_pairs.self)
          : skd_tile_pairs(repeating: 0)
        for r in 0..<rows {
          let value = skd_tile_pairs(
            repeating: block.load(
              fromByteOffset: r &* blockWidth &* 2 &+ pair &* 4, as: UInt32.self))
          left[r] = skd_add_pair_products(left[r], value, b0)
          if operands > 1 { right[r] = skd_add_pair_products(right[r], value, b1) }
        }
        bRow += blockWidth &* 4
      }
      block += blockStride &* 2
      remaining &-= blockWidth / 2
    }
    var row = c
    for r in 0..<rows {
      if accumulates {
        left[r] += UnsafePointer(row).vector(at: 0)
        if operands > 1 { right[r] += UnsafePointer(row).vector(at: Vector.scalarCount) }
      }
      row.store(left[r], at: 0)
      if operands > 1 { row.store(right[r], at: Vector.scalarCount) }
      row += rowStride
    }
  }
}
