import SKDRuntime

/// Columns in one block of a blocked matrix, and in one tile of a product: two vectors.
///
/// A *blocked* matrix of `rows` x `columns` is stored as `[ceil(columns / 32)][rows][32]`: within
/// a block the distance between rows is a constant, so that the micro-kernel addresses all its
/// rows from one register.
@usableFromInline let blockWidth = 32

/// Products summed up in one accumulator before the sum is added to the others in memory. Summing in
/// blocks keeps the rounding of long sums near that of short ones.
private let summedDepth = 256

typealias Vector = SIMD16<Float>

/// A `rows` x 32 tile of a matrix product, held in registers while the depth is run through.
///
/// `rows` is a generic constant: the loops over it are unrolled completely and each accumulator
/// lives in a register (see the flags in Package.swift). 14 rows are the most: 28 accumulators, two
/// vectors of B and one of A leave one of the 32 registers of AVX-512.
struct GemmTile<let rows: Int> {
  /// c[r, j] = leaky(sum_k a[r, k] b[k, j] + bias[j]). Writes (`=`).
  ///
  /// - Parameters:
  ///   - a: Blocked, first row of the tile; element (r, k) at
  ///     `(k / 32) * blockStride + r * 32 + k % 32`.
  ///   - b: `[depth][32]`.
  ///   - c: Row-major, rows `rowStride` apart; 32 columns are written.
  ///   - bias: 32 values or nil.
  ///   - slope: Of LeakyReLU; 1 for none.
  @inline(__always)
  static func multiply(
    _ a: UnsafePointer<Float>, blockStride: Int, _ b: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, rowStride: Int, bias: UnsafePointer<Float>?,
    slope: Float
  ) {
    var bias0 = Vector(repeating: 0)
    var bias1 = Vector(repeating: 0)
    if let bias {
      bias0 = UnsafeRawPointer(bias).loadUnaligned(as: Vector.self)
      bias1 = UnsafeRawPointer(bias).loadUnaligned(fromByteOffset: 64, as: Vector.self)
    }
    var block = a
    var bRow = UnsafeRawPointer(b)
    var remaining = depth
    var isFirst = true
    repeat {
      var left = InlineArray<rows, Vector> { _ in Vector(repeating: 0) }
      var right = InlineArray<rows, Vector> { _ in Vector(repeating: 0) }
      var part = remaining < summedDepth ? remaining : summedDepth
      remaining &-= part
      while part > 0 {
        let columns = part < blockWidth ? part : blockWidth
        for k in 0..<columns {
          let b0 = bRow.load(as: Vector.self)
          let b1 = bRow.load(fromByteOffset: 64, as: Vector.self)
          for r in 0..<rows {
            let value = Vector(repeating: block[r &* blockWidth &+ k])
            left[r] = left[r].addingProduct(value, b0)
            right[r] = right[r].addingProduct(value, b1)
          }
          bRow += 128
        }
        block += blockStride
        part &-= blockWidth
      }
      let slope = remaining > 0 ? 1 : slope
      var row = UnsafeMutableRawPointer(c)
      for r in 0..<rows {
        if !isFirst {
          bias0 = row.loadUnaligned(as: Vector.self)
          bias1 = row.loadUnaligned(fromByteOffset: 64, as: Vector.self)
        }
        row.storeBytes(of: leaky(left[r] + bias0, slope), as: Vector.self)
        row.storeBytes(of: leaky(right[r] + bias1, slope), toByteOffset: 64, as: Vector.self)
        row += rowStride &* 4
      }
      isFirst = false
    } while remaining > 0
  }

  /// c[r, j] = sum_t a[t, r] b[t, j], or += if `accumulates`: the outer products of a weight
  /// gradient.
  ///
  /// - Parameters:
  ///   - a: `[depth][32]`, first column of the tile.
  ///   - b: `[depth][32]`.
  ///   - c: `[rows][32]`.
  @inline(__always)
  static func multiplyTransposed(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    var left = InlineArray<rows, Vector> { _ in Vector(repeating: 0) }
    var right = InlineArray<rows, Vector> { _ in Vector(repeating: 0) }
    let c = UnsafeMutableRawPointer(c)
    if accumulates {
      for r in 0..<rows {
        left[r] = c.load(fromByteOffset: r &* 128, as: Vector.self)
        right[r] = c.load(fromByteOffset: r &* 128 &+ 64, as: Vector.self)
      }
    }
    var aRow = a
    var bRow = UnsafeRawPointer(b)
    for _ in 0..<depth {
      let b0 = bRow.load(as: Vector.self)
      let b1 = bRow.load(fromByteOffset: 64, as: Vector.self)
      for r in 0..<rows {
        let value = Vector(repeating: aRow[r])
        left[r] = left[r].addingProduct(value, b0)
        right[r] = right[r].addingProduct(value, b1)
      }
      aRow += blockWidth
      bRow += 128
    }
    for r in 0..<rows {
      c.storeBytes(of: left[r], toByteOffset: r &* 128, as: Vector.self)
      c.storeBytes(of: right[r], toByteOffset: r &* 128 &+ 64, as: Vector.self)
    }
  }

  @inline(__always)
  private static func leaky(_ values: Vector, _ slope: Float) -> Vector {
    values.replacing(with: values * slope, where: values .< 0)
  }
}
