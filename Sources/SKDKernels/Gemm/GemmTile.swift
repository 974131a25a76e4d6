internal import CIntrinsics

/// Columns in one block of a blocked matrix.
///
/// A *blocked* matrix of `rows` x `columns` is stored as `[ceil(columns / 32)][rows][32]`: within
/// a block the distance between rows is a constant, so that the micro-kernel addresses all its
/// rows from one register. The storage is the same on every instruction set; a tile covers all
/// columns of a block or a part of them.
@usableFromInline let blockWidth = 32

/// The largest tile whose accumulators fit into the registers of this instruction set.
///
/// GFLOP/s reached on one Zen 5 core, data in its cache: AVX-512 260, AVX2 130, which is nearly all
/// that its FMA units do; SSE2, which has no FMA, 47. (With the tile of AVX-512, AVX2 reached 46.)
enum TileShape {
  /// Floats in one operand: a register, on NEON a pair of them.
  @inline(__always) static var lanes: Int { SKD_TILE_LANES }
  /// A tile is two operands wide; it divides `blockWidth`.
  @inline(__always) static var columns: Int { 2 * lanes }
  @inline(__always) static var mostRows: Int { SKD_TILE_ROWS }
  /// The same for `GemmTile.multiplyTransposed`.
  @inline(__always) static var mostTransposedRows: Int { SKD_TRANSPOSED_ROWS }
  /// The same for tiles of one operand.
  @inline(__always) static var mostNarrowRows: Int { SKD_NARROW_ROWS }
  @inline(__always) static var mostNarrowTransposedRows: Int { SKD_NARROW_TRANSPOSED_ROWS }
}

/// A tile of a matrix product, `rows` times one or two operands wide, held in registers while the
/// depth is run through.
///
/// `rows` is a generic constant: the loops over it are unrolled completely and each accumulator
/// lives in a register (see the flags in Package.swift). A tile of one operand has no right half.
struct GemmTile<let rows: Int, let operands: Int> {
  private typealias Operand = Vector
  private typealias Accumulators = InlineArray<rows, Operand>

  /// c[r, j] = leaky(sum_k a[r, k] b[k, j] + bias[j]). Writes (`=`); with `accumulates`, the
  /// content of `c` takes the place of the bias.
  ///
  /// - Parameters:
  ///   - a: Blocked, first row of the tile; element (r, k) at
  ///     `(k / 32) * blockStride + r * 32 + k % 32`.
  ///   - b: `[depth][32]`, first column of the tile.
  ///   - c: Row-major, rows `rowStride` apart; the tile's columns are written.
  ///   - bias: A value for each column of the tile, or nil.
  ///   - slope: Slope of LeakyReLU; 1 for none.
  ///   - prefetch: Address to prefetch with the first row of `b`; it advances by `prefetchStride`
  ///     bytes per row.
  @inline(__always)
  static func multiply(
    _ a: UnsafePointer<Float>, blockStride: Int, _ b: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, rowStride: Int, bias: UnsafePointer<Float>?,
    slope: Float, accumulates: Bool, prefetch: UnsafeRawPointer, prefetchStride: Int
  ) {
    var left = Accumulators { _ in Operand(repeating: 0) }
    var right = Accumulators { _ in Operand(repeating: 0) }
    var block = a
    var bRow = UnsafeRawPointer(b)
    var prefetch = prefetch
    var remaining = depth
    while remaining > 0 {
      let columns = remaining < blockWidth ? remaining : blockWidth
      for k in 0..<columns {
        let (b0, b1) = load(bRow)
        skd_prefetch(prefetch)
        for r in 0..<rows {
          let value = Operand(repeating: block[r &* blockWidth &+ k])
          left[r] = left[r].addingRelaxedProduct(value, b0)
          if operands > 1 { right[r] = right[r].addingRelaxedProduct(value, b1) }
        }
        bRow += blockWidth &* 4
        prefetch += prefetchStride
      }
      block += blockStride
      remaining &-= blockWidth
    }
    var bias0 = Operand(repeating: 0)
    var bias1 = Operand(repeating: 0)
    if let bias { (bias0, bias1) = loadUnaligned(UnsafeRawPointer(bias)) }
    var row = UnsafeMutableRawPointer(c)
    for r in 0..<rows {
      if accumulates { (bias0, bias1) = loadUnaligned(UnsafeRawPointer(row)) }
      store(leaky(left[r] + bias0, slope), leaky(right[r] + bias1, slope), row)
      row += rowStride &* 4
    }
  }

  /// c[r, j] = sum_t a[t, r] b[t, j], or += if `accumulates`: the outer products of a weight
  /// gradient.
  ///
  /// - Parameters:
  ///   - a: `[depth][32]`, column of the tile's first row.
  ///   - b: `[depth][32]`, first column of the tile.
  ///   - c: `[rows][32]`, first column of the tile.
  @inline(__always)
  static func multiplyTransposed(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    var left = Accumulators { _ in Operand(repeating: 0) }
    var right = Accumulators { _ in Operand(repeating: 0) }
    let c = UnsafeMutableRawPointer(c)
    if accumulates {
      for r in 0..<rows {
        (left[r], right[r]) = load(UnsafeRawPointer(c + r &* blockWidth &* 4))
      }
    }
    var aRow = a
    var bRow = UnsafeRawPointer(b)
    for _ in 0..<depth {
      let (b0, b1) = load(bRow)
      for r in 0..<rows {
        let value = Operand(repeating: aRow[r])
        left[r] = left[r].addingRelaxedProduct(value, b0)
        if operands > 1 { right[r] = right[r].addingRelaxedProduct(value, b1) }
      }
      aRow += blockWidth
      bRow += blockWidth &* 4
    }
    for r in 0..<rows { store(left[r], right[r], c + r &* blockWidth &* 4) }
  }

  // MARK: The operands of a row

  @inline(__always)
  private static func load(_ row: UnsafeRawPointer) -> (Operand, Operand) {
    (
      row.load(as: Operand.self),
      operands > 1
        ? row.load(fromByteOffset: MemoryLayout<Operand>.size, as: Operand.self)
        : Operand(repeating: 0)
    )
  }

  @inline(__always)
  private static func loadUnaligned(_ row: UnsafeRawPointer) -> (Operand, Operand) {
    (
      row.loadUnaligned(as: Operand.self),
      operands > 1
        ? row.loadUnaligned(fromByteOffset: MemoryLayout<Operand>.size, as: Operand.self)
        : Operand(repeating: 0)
    )
  }

  @inline(__always)
  private static func store(_ left: Operand, _ right: Operand, _ row: UnsafeMutableRawPointer) {
    row.storeBytes(of: left, as: Operand.self)
    if operands > 1 {
      row.storeBytes(of: right, toByteOffset: MemoryLayout<Operand>.size, as: Operand.self)
    }
  }

  @inline(__always)
  private static func leaky(_ values: Operand, _ slope: Float) -> Operand {
    values.replacing(with: values * slope, where: values .< 0)
  }
}
