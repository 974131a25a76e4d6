import SKDRuntime

// Arithmetic on the large vectors of the classifiers, in Double and, but for `largestMagnitude`, on all
// threads. Their lengths are multiples of `paddedRowUnit`. The partition depends on the length alone.

/// `sum_i a[i] b[i]`; they may be the same. Allocates nothing.
public func largeDotProduct(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, length: Int
) -> Double {
  sumOfChunks(of: length) { start, end in dotProduct(a + start, b + start, length: end - start) }
}

/// `output += factor * input`.
public func addScaledLarge(
  _ input: UnsafePointer<Double>, by factor: Double, length: Int,
  to output: UnsafeMutablePointer<Double>
) {
  forEachChunk(of: length) { start, end in
    addScaled(input + start, by: factor, length: end - start, to: output + start)
  }
}

/// `output = input + factor * output`.
public func scaleAndAddLarge(
  _ input: UnsafePointer<Double>, by factor: Double, length: Int,
  to output: UnsafeMutablePointer<Double>
) {
  forEachChunk(of: length) { start, end in
    for i in start..<end { output[i] = input[i] + factor * output[i] }
  }
}

/// `output = factor * input`; they may be the same.
public func scaleLarge(
  _ input: UnsafePointer<Double>, by factor: Double, length: Int,
  into output: UnsafeMutablePointer<Double>
) {
  forEachChunk(of: length) { start, end in
    scale(input + start, by: factor, length: end - start, into: output + start)
  }
}

/// `output = 0`, whatever it was.
public func clearLarge(_ output: UnsafeMutablePointer<Double>, length: Int) {
  forEachChunk(of: length) { start, end in
    (output + start).update(repeating: 0, count: end - start)
  }
}

/// `output[i] = sum_l a[i, l]` for `[rows, length]`, padded with zeros.
public func sumLargeRows(
  _ a: UnsafePointer<Double>, rows: Int, length: Int, into output: UnsafeMutablePointer<Double>
) {
  forEachChunk(of: rows, size: chunkRows(rowElements: length)) { start, end in
    sumRows(a + start * length, rows: end - start, length: length, into: output + start)
  }
}

/// Widens `[rows, count]` floats to the first columns of `[rows, length]`; the padding is left as it is.
public func widenRows(
  _ input: UnsafePointer<Float>, rows: Int, count: Int, length: Int,
  into output: UnsafeMutablePointer<Double>
) {
  forEachChunk(of: rows, size: chunkRows(rowElements: count)) { start, end in
    for n in start..<end { widen(input + n * count, count: count, into: output + n * length) }
  }
}

/// Subtracts the mean of the rows from each of them, and writes (`=`) it to `mean`.
///
/// - Parameters:
///   - a: `[rows, length]`.
///   - mean: `length` elements.
public func centreRows(
  _ a: UnsafeMutablePointer<Double>, rows: Int, length: Int, mean: UnsafeMutablePointer<Double>
) {
  forEachChunk(of: length, size: 64, workers: workers(forElements: rows * length)) { start, end in
    let (mean, count) = (mean + start, end - start)
    mean.update(repeating: 0, count: count)
    for n in 0..<rows { addScaled(a + (n * length + start), by: 1, length: count, to: mean) }
    divide(mean, by: Double(rows), length: count, into: mean)
    for n in 0..<rows { addScaled(mean, by: -1, length: count, to: a + (n * length + start)) }
  }
}

/// `output[k] = sum of the rows a[n] with labels[n] == k`.
///
/// - Parameters:
///   - a: `[rows, length]`.
///   - output: `[classes, length]`; overwritten.
public func sumRowsOfClasses(
  _ a: UnsafePointer<Double>, labels: UnsafePointer<Int32>, rows: Int, classes: Int, length: Int,
  into output: UnsafeMutablePointer<Double>
) {
  forEachChunk(of: length, size: 64, workers: workers(forElements: rows * length)) { start, end in
    for k in 0..<classes {
      (output + (k * length + start)).update(repeating: 0, count: end - start)
    }
    for n in 0..<rows {
      addScaled(
        a + (n * length + start), by: 1, length: end - start,
        to: output + (Int(labels[n]) * length + start))
    }
  }
}

/// `max_i |a[i] + factor * b[i]|`; NaN if one of the sums is not finite.
public func largestMagnitude(
  _ a: UnsafePointer<Double>, plus b: UnsafePointer<Double>, by factor: Double, length: Int
) -> Double {
  var (largest, zeros) = (DoubleVector(), DoubleVector())
  for i in stride(from: 0, to: length, by: paddedRowUnit) {
    let value = vector(a + i).addingRelaxedProduct(
      vector(b + i), DoubleVector(repeating: factor))
    let magnitude = value.replacing(with: -value, where: value .< 0)
    largest.replace(with: magnitude, where: magnitude .> largest)
    zeros += value - value
  }
  return largest.max() + zeros.sum()
}
