/// Calls `body` with the product of a vector and each column of the weights of a linear layer:
///
///     sum = sum over i of left[i] * weight[output, i]
///
/// In Double, in the order of i; eight outputs at once, whose sums do not wait for each other.
@inline(__always)
func forEachDot(
  _ left: UnsafePointer<Float>, count: Int, _ weight: UnsafePointer<Float>,
  _ strides: LinearStrides, outputs: Int, _ body: (_ output: Int, _ sum: Double) -> Void
) {
  var first = 0
  while first &+ 8 <= outputs {
    let sums = eightDots(left, count: count, weight + first &* strides.output, strides)
    for lane in 0..<8 { body(first &+ lane, sums[lane]) }
    first &+= 8
  }
  for output in first..<outputs {
    let column = weight + output &* strides.output
    var sum = 0.0
    for i in 0..<count { sum += Double(left[i]) * Double(column[i &* strides.input]) }
    body(output, sum)
  }
}

private func eightDots(
  _ left: UnsafePointer<Float>, count: Int, _ weight: UnsafePointer<Float>,
  _ strides: LinearStrides
) -> SIMD8<Double> {
  var sums = SIMD8<Double>(repeating: 0)
  if strides.output == 1 {
    for i in 0..<count {
      let row = weight.vector(at: i &* strides.input, as: SIMD8<Float>.self)
      sums += SIMD8<Double>(row) * Double(left[i])
    }
  } else {
    for i in 0..<count {
      let row = weight + i &* strides.input
      var values = SIMD8<Float>(repeating: 0)
      for lane in 0..<8 { values[lane] = row[lane &* strides.output] }
      sums += SIMD8<Double>(values) * Double(left[i])
    }
  }
  return sums
}

/// dWeight[o, i] = sum_n dOutput[n, o] * input[n, i], dBias[o] = sum_n dOutput[n, o], in Double and in
/// the order of n; overwrites.
func sumOuterProducts(
  _ dOutput: UnsafePointer<Float>, outputs: Int, _ input: UnsafePointer<Float>, inputs: Int,
  batch: Int, dWeight: UnsafeMutablePointer<Float>, strides: LinearStrides,
  dBias: UnsafeMutablePointer<Float>
) {
  forEachChunk(of: outputs, size: chunkRows(rowElements: batch * inputs)) { start, end in
    for o in start..<end {
      var bias = 0.0
      for n in 0..<batch { bias += Double(dOutput[n &* outputs &+ o]) }
      dBias[o] = Float(bias)
      let target = dWeight + o &* strides.output
      var i = 0
      while i &+ 8 <= inputs {
        var sums = SIMD8<Double>(repeating: 0)
        for n in 0..<batch {
          let row = input.vector(at: n &* inputs &+ i, as: SIMD8<Float>.self)
          sums += SIMD8<Double>(row) * Double(dOutput[n &* outputs &+ o])
        }
        for lane in 0..<8 { target[(i &+ lane) &* strides.input] = Float(sums[lane]) }
        i &+= 8
      }
      while i < inputs {
        var sum = 0.0
        for n in 0..<batch {
          sum += Double(dOutput[n &* outputs &+ o]) * Double(input[n &* inputs &+ i])
        }
        target[i &* strides.input] = Float(sum)
        i &+= 1
      }
    }
  }
}
