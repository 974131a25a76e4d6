internal import CIntrinsics

/// The doubles of one register of this instruction set, on NEON of two; it divides `paddedRowUnit`.
typealias DoubleRegister = skd_double_vector

/// Purpose of the sums of a product of rows.
public enum ProductUpdate: Sendable {
  case overwrite
  case add
  case subtract
}

/// A tile of products of rows with four rows, with its sums in registers.
///
/// `rows` is a generic constant, as in `GemmTile`.
struct RowProductTile<let rows: Int> {
  private typealias Sums = InlineArray<rows, DoubleRegister>

  /// output[r, c] = sum_l a[r, l] b[c, l], or += or -=.
  ///
  /// - Parameters:
  ///   - a: First row of the tile, rows `aLength` apart.
  ///   - b: First of `columns` rows, 1 to 4, `bLength` apart.
  ///   - depth: A multiple of `paddedRowUnit`.
  ///   - output: Rows `outputLength` apart.
  @inline(__always)
  static func multiply(
    _ a: UnsafePointer<Double>, _ aLength: Int, _ b: UnsafePointer<Double>, _ bLength: Int,
    _ columns: Int, _ depth: Int, _ output: UnsafeMutablePointer<Double>, _ outputLength: Int,
    _ update: ProductUpdate
  ) {
    var s0 = Sums { _ in DoubleRegister(repeating: 0) }
    var s1 = Sums { _ in DoubleRegister(repeating: 0) }
    var s2 = Sums { _ in DoubleRegister(repeating: 0) }
    var s3 = Sums { _ in DoubleRegister(repeating: 0) }
    // A tile at the edge repeats the last row of b.
    let last = columns &- 1
    let (b0, b1) = (b, b + min(1, last) &* bLength)
    let (b2, b3) = (b + min(2, last) &* bLength, b + min(3, last) &* bLength)
    var l = 0
    while l < depth {
      let (y0, y1, y2, y3) = (load(b0 + l), load(b1 + l), load(b2 + l), load(b3 + l))
      for r in 0..<rows {
        let x = load(a + (r &* aLength &+ l))
        s0[r] = s0[r].addingRelaxedProduct(x, y0)
        s1[r] = s1[r].addingRelaxedProduct(x, y1)
        s2[r] = s2[r].addingRelaxedProduct(x, y2)
        s3[r] = s3[r].addingRelaxedProduct(x, y3)
      }
      l &+= DoubleRegister.scalarCount
    }
    for r in 0..<rows {
      let sums = SIMD4(s0[r].sum(), s1[r].sum(), s2[r].sum(), s3[r].sum())
      let row = output + r &* outputLength
      for c in 0..<columns {
        switch update {
        case .overwrite: row[c] = sums[c]
        case .add: row[c] += sums[c]
        case .subtract: row[c] -= sums[c]
        }
      }
    }
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Double>) -> DoubleRegister {
    UnsafeRawPointer(pointer).loadUnaligned(as: DoubleRegister.self)
  }
}

private typealias Multiply =
  @Sendable (
    UnsafePointer<Double>, Int, UnsafePointer<Double>, Int, Int, Int, UnsafeMutablePointer<Double>,
    Int, ProductUpdate
  ) -> Void

/// Rows of the largest tile.
private let mostRows = SKD_ROW_PRODUCT_ROWS

/// Entry r - 1 computes a tile of r rows.
private let multiplyTile: [Multiply] =
  mostRows > 3
  ? [
    RowProductTile<1>.multiply, RowProductTile<2>.multiply, RowProductTile<3>.multiply,
    RowProductTile<4>.multiply, RowProductTile<5>.multiply, RowProductTile<6>.multiply,
  ]
  : [RowProductTile<1>.multiply, RowProductTile<2>.multiply, RowProductTile<3>.multiply]

/// output[i, j] = sum_l a[i, l] b[j, l], or += or -=, for a block of rows that fits into the second
/// cache with its operands.
func multiplyRowBlock(
  _ a: UnsafePointer<Double>, rows: Int, aLength: Int, _ b: UnsafePointer<Double>, columns: Int,
  bLength: Int, depth: Int, into output: UnsafeMutablePointer<Double>, outputLength: Int,
  _ update: ProductUpdate
) {
  var i = 0
  while i < rows {
    let tileRows = min(mostRows, rows &- i)
    let multiply = multiplyTile[tileRows &- 1]
    var j = 0
    while j < columns {
      multiply(
        a + i &* aLength, aLength, b + j &* bLength, bLength, min(4, columns &- j), depth,
        output + (i &* outputLength &+ j), outputLength, update)
      j &+= 4
    }
    i &+= tileRows
  }
}
