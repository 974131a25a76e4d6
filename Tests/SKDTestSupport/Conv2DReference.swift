/// A convolution and its gradients from their formulas: one value at a time, in Double.
///
///     output[n, i, j, o] = leaky(bias[o]
///       + Σ input[n, i s - p + y, j s - p + x, c] weight[y, x, c, o])
///
/// Images are NHWC, weights `[kernel row][kernel column][input][output]`. Gradients belong to slope
/// 1. Values come one by one because unoptimised code is slow: large cases are checked in samples.
public struct Conv2DReference: Sendable {
  public var batch, height, width, inputs, outputs: Int
  public var kernelSize, stride, padding: Int
  public var input: [Float] = []
  public var weight: [Float] = []
  public var bias: [Float]?
  public var slope: Float = 1
  public var dOutput: [Float] = []

  public init(
    batch: Int, height: Int, width: Int, inputs: Int, outputs: Int, kernelSize: Int, stride: Int,
    padding: Int
  ) {
    (self.batch, self.height, self.width) = (batch, height, width)
    (self.inputs, self.outputs) = (inputs, outputs)
    (self.kernelSize, self.stride, self.padding) = (kernelSize, stride, padding)
  }

  public var outputHeight: Int { (height + 2 * padding - kernelSize) / stride + 1 }
  public var outputWidth: Int { (width + 2 * padding - kernelSize) / stride + 1 }
  public var inputCount: Int { batch * height * width * inputs }
  public var outputCount: Int { batch * outputHeight * outputWidth * outputs }
  public var weightCount: Int { kernelSize * kernelSize * inputs * outputs }

  public func output(at index: Int) -> Double {
    let (n, i, j, o) = position(index, outputHeight, outputWidth, outputs)
    var sum = bias.map { Double($0[o]) } ?? 0
    for y in 0..<kernelSize {
      let row = i * stride - padding + y
      guard row >= 0 && row < height else { continue }
      for x in 0..<kernelSize {
        let column = j * stride - padding + x
        guard column >= 0 && column < width else { continue }
        let source = ((n * height + row) * width + column) * inputs
        let tap = (y * kernelSize + x) * inputs * outputs + o
        for c in 0..<inputs {
          sum += Double(input[source + c]) * Double(weight[tap + c * outputs])
        }
      }
    }
    return sum < 0 ? Double(slope) * sum : sum
  }

  /// dInput[n, h, w, c] = Σ dOutput[n, i, j, o] weight[h + p - i s, w + p - j s, c, o].
  public func dInput(at index: Int) -> Double {
    let (n, h, w, c) = position(index, height, width, inputs)
    var sum = 0.0
    for i in 0..<outputHeight {
      let y = h + padding - i * stride
      guard y >= 0 && y < kernelSize else { continue }
      for j in 0..<outputWidth {
        let x = w + padding - j * stride
        guard x >= 0 && x < kernelSize else { continue }
        let source = ((n * outputHeight + i) * outputWidth + j) * outputs
        let tap = ((y * kernelSize + x) * inputs + c) * outputs
        for o in 0..<outputs { sum += Double(dOutput[source + o]) * Double(weight[tap + o]) }
      }
    }
    return sum
  }

  /// dWeight[y, x, c, o] = Σ input[n, i s - p + y, j s - p + x, c] dOutput[n, i, j, o].
  public func dWeight(at index: Int) -> Double {
    let (y, x, c, o) = position(index, kernelSize, inputs, outputs)
    var sum = 0.0
    for n in 0..<batch {
      for i in 0..<outputHeight {
        let row = i * stride - padding + y
        guard row >= 0 && row < height else { continue }
        for j in 0..<outputWidth {
          let column = j * stride - padding + x
          guard column >= 0 && column < width else { continue }
          let source = ((n * height + row) * width + column) * inputs + c
          let target = ((n * outputHeight + i) * outputWidth + j) * outputs + o
          sum += Double(input[source]) * Double(dOutput[target])
        }
      }
    }
    return sum
  }

  /// dBias[o] = Σ dOutput[n, i, j, o].
  public func dBias(at o: Int) -> Double {
    (0..<dOutput.count / outputs).reduce(0) { $0 + Double(dOutput[$1 * outputs + o]) }
  }

  /// Splits the index of an element of `[..., a, b, c]`.
  private func position(_ index: Int, _ a: Int, _ b: Int, _ c: Int) -> (Int, Int, Int, Int) {
    (index / (a * b * c), index / (b * c) % a, index / c % b, index % c)
  }
}
