// Arithmetic of the classifiers, in Double. Rows are padded with zeros to a multiple of
// `paddedRowUnit` elements, so that no loop has a remainder. Every sum has a fixed order. Nothing
// here allocates, and outputs must not overlap inputs unless said.

/// Elements that a padded row is a multiple of.
public let paddedRowUnit = 8

/// The length of a row of `count` elements with its padding.
public func paddedRowLength(_ count: Int) -> Int {
  (count + paddedRowUnit - 1) / paddedRowUnit * paddedRowUnit
}

/// Widens `count` floats; the padding of `output` is left as it is.
public func widen(
  _ input: UnsafePointer<Float>, count: Int, into output: UnsafeMutablePointer<Double>
) {
  for i in 0..<count { output[i] = Double(input[i]) }
}

/// `sum_i a[i] b[i]` over padded rows; they may be the same.
public func dotProduct(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, length: Int
) -> Double {
  var sum = DoubleVector()
  for i in stride(from: 0, to: length, by: paddedRowUnit) {
    sum.addRelaxedProduct(vector(a + i), vector(b + i))
  }
  return sum.sum()
}

/// `sum_i a[i] b[i]` over rows without padding.
public func dotProduct(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Double>, count: Int
) -> Double {
  let whole = count / paddedRowUnit * paddedRowUnit
  var sum = DoubleVector()
  for i in stride(from: 0, to: whole, by: paddedRowUnit) {
    let floats = UnsafeRawPointer(a + i).loadUnaligned(as: SIMD8<Float>.self)
    sum.addRelaxedProduct(DoubleVector(floats), vector(b + i))
  }
  var total = sum.sum()
  for i in whole..<count { total += Double(a[i]) * b[i] }
  return total
}

/// `sum_i (a[i] - b[i])²` over padded rows.
public func squaredDistance(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, length: Int
) -> Double {
  var sum = DoubleVector()
  for i in stride(from: 0, to: length, by: paddedRowUnit) {
    let difference = vector(a + i) - vector(b + i)
    sum.addRelaxedProduct(difference, difference)
  }
  return sum.sum()
}

/// `output += factor * input`, over padded rows.
public func addScaled(
  _ input: UnsafePointer<Double>, by factor: Double, length: Int,
  to output: UnsafeMutablePointer<Double>
) {
  for i in 0..<length { output[i] += factor * input[i] }
}

/// `output = factor * input`, over padded rows; they may be the same.
public func scale(
  _ input: UnsafePointer<Double>, by factor: Double, length: Int,
  into output: UnsafeMutablePointer<Double>
) {
  for i in 0..<length { output[i] = factor * input[i] }
}

/// `output = input / divisor`, over padded rows; they may be the same.
public func divide(
  _ input: UnsafePointer<Double>, by divisor: Double, length: Int,
  into output: UnsafeMutablePointer<Double>
) {
  for i in 0..<length { output[i] = input[i] / divisor }
}

/// `row /= ||row||_2`, in place over a padded row; zeros stay zeros. The squares must not overflow.
public func normalize(_ row: UnsafeMutablePointer<Double>, length: Int) {
  let squares = dotProduct(row, row, length: length)
  if squares > 0 { scale(row, by: 1 / squares.squareRoot(), length: length, into: row) }
}

/// `max_i |a[i]|` over a padded row.
public func largestMagnitude(_ a: UnsafePointer<Double>, length: Int) -> Double {
  var largest = 0.0
  for i in 0..<length { largest = max(largest, a[i].magnitude) }
  return largest
}

/// `output[i] = sum_l a[i, l]` for `[rows, length]`, padded with zeros.
public func sumRows(
  _ a: UnsafePointer<Double>, rows: Int, length: Int, into output: UnsafeMutablePointer<Double>
) {
  for i in 0..<rows {
    var sum = DoubleVector()
    for l in stride(from: 0, to: length, by: paddedRowUnit) { sum += vector(a + i * length + l) }
    output[i] = sum.sum()
  }
}

/// `output[i, j] = sum_l a[i, l] b[j, l]`: a product of rows with rows.
///
/// Writes (`=`) `aRows x bRows` entries; the padding of `output` is left as it is.
///
/// - Parameters:
///   - a: `[aRows, length]`; may be the same as `b`.
///   - b: `[bRows, length]`.
///   - length: Padded length of the rows of `a` and `b`.
///   - output: `[aRows, outputLength]`, `outputLength >= bRows`.
public func multiplyByTranspose(
  _ a: UnsafePointer<Double>, aRows: Int, _ b: UnsafePointer<Double>, bRows: Int, length: Int,
  outputLength: Int, into output: UnsafeMutablePointer<Double>
) {
  // Blocks of 2 x 4 keep eight sums in registers. A block at the edge repeats the last row.
  for i in stride(from: 0, to: aRows, by: 2) {
    let i1 = min(i + 1, aRows - 1)
    let (a0, a1) = (a + i * length, a + i1 * length)
    for j in stride(from: 0, to: bRows, by: 4) {
      let (j1, j2, j3) = (min(j + 1, bRows - 1), min(j + 2, bRows - 1), min(j + 3, bRows - 1))
      let (b0, b1, b2, b3) = (b + j * length, b + j1 * length, b + j2 * length, b + j3 * length)
      var (s00, s01, s02, s03) = (DoubleVector(), DoubleVector(), DoubleVector(), DoubleVector())
      var (s10, s11, s12, s13) = (DoubleVector(), DoubleVector(), DoubleVector(), DoubleVector())
      for l in stride(from: 0, to: length, by: paddedRowUnit) {
        let (x0, x1) = (vector(a0 + l), vector(a1 + l))
        let (y0, y1, y2, y3) = (vector(b0 + l), vector(b1 + l), vector(b2 + l), vector(b3 + l))
        s00.addRelaxedProduct(x0, y0)
        s01.addRelaxedProduct(x0, y1)
        s02.addRelaxedProduct(x0, y2)
        s03.addRelaxedProduct(x0, y3)
        s10.addRelaxedProduct(x1, y0)
        s11.addRelaxedProduct(x1, y1)
        s12.addRelaxedProduct(x1, y2)
        s13.addRelaxedProduct(x1, y3)
      }
      let (row0, row1) = (output + i * outputLength, output + i1 * outputLength)
      row0[j] = s00.sum()
      row0[j1] = s01.sum()
      row0[j2] = s02.sum()
      row0[j3] = s03.sum()
      row1[j] = s10.sum()
      row1[j1] = s11.sum()
      row1[j2] = s12.sum()
      row1[j3] = s13.sum()
    }
  }
}

/// `output[i, l] = sum_j a[i, j] b[j, l]`: combinations of rows.
///
/// Writes (`=`) `output` with its padding.
///
/// - Parameters:
///   - a: `[aRows, aLength]`, of which the first `bRows` columns count.
///   - b: `[bRows, length]`.
///   - length: Padded length of the rows of `b` and `output`.
public func combineRows(
  _ a: UnsafePointer<Double>, aRows: Int, aLength: Int, _ b: UnsafePointer<Double>, bRows: Int,
  length: Int, into output: UnsafeMutablePointer<Double>
) {
  for i in stride(from: 0, to: aRows, by: 4) {
    let (i1, i2, i3) = (min(i + 1, aRows - 1), min(i + 2, aRows - 1), min(i + 3, aRows - 1))
    let (a0, a1, a2, a3) = (a + i * aLength, a + i1 * aLength, a + i2 * aLength, a + i3 * aLength)
    for l in stride(from: 0, to: length, by: paddedRowUnit) {
      var (s0, s1, s2, s3) = (DoubleVector(), DoubleVector(), DoubleVector(), DoubleVector())
      for j in 0..<bRows {
        let y = vector(b + j * length + l)
        s0.addRelaxedProduct(DoubleVector(repeating: a0[j]), y)
        s1.addRelaxedProduct(DoubleVector(repeating: a1[j]), y)
        s2.addRelaxedProduct(DoubleVector(repeating: a2[j]), y)
        s3.addRelaxedProduct(DoubleVector(repeating: a3[j]), y)
      }
      store(s0, at: output + i * length + l)
      store(s1, at: output + i1 * length + l)
      store(s2, at: output + i2 * length + l)
      store(s3, at: output + i3 * length + l)
    }
  }
}

/// `output[j, i] = a[i, j]`, of padded rows, on all threads.
///
/// Writes (`=`) `columns x rows` entries; the padding of `output` is left as it is.
///
/// - Parameters:
///   - a: `[rows, length]`, of which the first `columns` columns count.
///   - output: `[columns, outputLength]`, `outputLength >= rows`.
public func transpose(
  _ a: UnsafePointer<Double>, rows: Int, columns: Int, length: Int, outputLength: Int,
  into output: UnsafeMutablePointer<Double>
) {
  let blockColumns = 64
  forEachChunk(of: columns, size: blockColumns, workers: workers(forElements: rows * columns)) {
    first, end in
    // A cache line of every row of the block at a time.
    for i in stride(from: 0, to: rows, by: paddedRowUnit) {
      for j in first..<end {
        for r in i..<min(i + paddedRowUnit, rows) {
          output[j * outputLength + r] = a[r * length + j]
        }
      }
    }
  }
}
