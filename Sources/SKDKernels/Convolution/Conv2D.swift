import SKDRuntime

/// A two-dimensional convolution over NHWC images, forward and backward.
///
///     output[n, i, j, o] = bias[o] + Σ input[n, i s - p + y, j s - p + x, c] weight[y, x, c, o]
///
/// Weights are stored `[kernel row][kernel column][input][output]`. Before use they are packed,
/// once for each direction, into the form that the chosen algorithm reads; the packed form holds
/// while the weights stand, for any batch size. Nothing here allocates: the caller brings scratch
/// memory of the sizes that `scratchCount` and the others state, aligned to 64 bytes. Operands must
/// not overlap. Results are bitwise the same for any number of threads.
public struct Conv2D: Sendable {
  public let geometry: Conv2DGeometry
  public let algorithm: Conv2DAlgorithm

  /// - Parameter algorithm: Nil for the choice of `Conv2DAlgorithm`. `.winograd` must only be asked
  ///   for where the kernel is 3x3, stride and padding are 1, and channels are multiples of 32.
  public init(_ geometry: Conv2DGeometry, algorithm: Conv2DAlgorithm? = nil) {
    self.geometry = geometry
    self.algorithm = algorithm ?? Conv2DAlgorithm(for: geometry)
  }

  private var winograd: WinogradConvolution { WinogradConvolution(geometry) }
  private var gemm: GemmConvolution { GemmConvolution(geometry) }

  // MARK: Forward

  /// Floats of the weights packed for `forward`.
  public var packedWeightCount: Int {
    switch algorithm {
    case .winograd: return winograd.transformedWeightCount
    case .gemm: return gemm.packedWeightCount
    }
  }

  /// Packs the weights for `forward`. Writes (`=`).
  public func packWeight(
    _ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    switch algorithm {
    case .winograd: winograd.transformWeight(weight, into: packed)
    case .gemm: gemm.pack(weight, into: packed)
    }
  }

  /// Floats of scratch for `forward` with at most `workers` threads.
  public func forwardScratchCount(workers: Int) -> Int {
    switch algorithm {
    case .winograd: return winograd.scratchCount(workers: workers)
    case .gemm: return workers * gemm.scratchCountPerWorker
    }
  }

  /// Convolves, adds the bias and applies LeakyReLU of the given slope. Writes (`=`).
  ///
  /// - Parameters:
  ///   - bias: One value per output channel, readable up to the next multiple of 32; nil for none.
  ///   - slope: 1 applies no activation.
  public func forward(
    _ input: UnsafePointer<Float>, packedWeight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>? = nil, slope: Float = 1, output: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    switch algorithm {
    case .winograd:
      winograd.forward(
        input, transformedWeight: packedWeight, bias: bias, slope: slope, output: output,
        scratch: scratch, workers: workers)
    case .gemm:
      gemm.forward(
        input, packedWeight: packedWeight, bias: bias, slope: slope, output: output,
        scratch: scratch, workers: workers)
    }
  }

  // MARK: Backward

  /// Floats of the weights packed for `backwardInput`.
  public var packedTransposeCount: Int {
    switch algorithm {
    case .winograd: return winograd.transformedWeightCount
    case .gemm: return gemm.packedTransposeCount
    }
  }

  /// Floats of scratch for `packTranspose`.
  public var packTransposeScratchCount: Int { algorithm == .winograd ? geometry.weightCount : 0 }

  /// Packs the weights for `backwardInput`. Writes (`=`).
  public func packTranspose(
    _ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    switch algorithm {
    case .winograd:
      flipKernels(
        weight, inputs: geometry.input.channels, outputs: geometry.outputChannels, into: scratch)
      winograd.transposed.transformWeight(scratch, into: packed)
    case .gemm:
      gemm.packTranspose(weight, into: packed)
    }
  }

  /// Floats of scratch for `backwardInput` with at most `workers` threads.
  public func backwardInputScratchCount(workers: Int) -> Int {
    switch algorithm {
    case .winograd: return winograd.transposed.scratchCount(workers: workers)
    case .gemm: return workers * gemm.scratchCountPerWorker
    }
  }

  /// The gradient of the input. Writes (`=`).
  public func backwardInput(
    _ dOutput: UnsafePointer<Float>, packedTranspose: UnsafePointer<Float>,
    dInput: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    switch algorithm {
    case .winograd:
      winograd.transposed.forward(
        dOutput, transformedWeight: packedTranspose, bias: nil, slope: 1, output: dInput,
        scratch: scratch, workers: workers)
    case .gemm:
      gemm.backwardInput(
        dOutput, packedTranspose: packedTranspose, dInput: dInput, scratch: scratch,
        workers: workers)
    }
  }

  /// Floats of scratch for `backwardWeight`.
  public var backwardWeightScratchCount: Int {
    switch algorithm {
    case .winograd: return winograd.weightScratchCount
    case .gemm: return gemm.weightScratchCount
    }
  }

  /// The gradient of the weights, in their storage order. Writes (`=`).
  public func backwardWeight(
    _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    switch algorithm {
    case .winograd: winograd.backwardWeight(input, dOutput, dWeight: dWeight, scratch: scratch)
    case .gemm: gemm.backwardWeight(input, dOutput, dWeight: dWeight, scratch: scratch)
    }
  }
}

/// Turns 3x3 kernels by 180° and swaps inputs and outputs:
/// flipped[2 - y, 2 - x, o, i] = weight[y, x, i, o].
private func flipKernels(
  _ weight: UnsafePointer<Float>, inputs: Int, outputs: Int,
  into flipped: UnsafeMutablePointer<Float>
) {
  let side = 16  // of the square that is transposed within the cache
  let blocks = ceilDivide(inputs, side)
  WorkerPool.shared.forEach(9 * blocks) { item, _ in
    let (tap, block) = item.quotientAndRemainder(dividingBy: blocks)
    let source = weight + tap * inputs * outputs
    let target = flipped + (8 - tap) * inputs * outputs
    let rows = block * side..<min((block + 1) * side, inputs)
    for first in stride(from: 0, to: outputs, by: side) {
      for o in first..<min(first + side, outputs) {
        for i in rows { target[o &* inputs &+ i] = source[i &* outputs &+ o] }
      }
    }
  }
}

/// dBias[o] = Σ over rows of dOutput[row, o]. Writes (`=`); sums in Double.
public func biasGradient(
  _ dOutput: UnsafePointer<Float>, rows: Int, channels: Int, dBias: UnsafeMutablePointer<Float>
) {
  WorkerPool.shared.forEach(ceilDivide(channels, 16)) { item, _ in
    let first = item * 16
    for c in first..<min(first + 16, channels) {
      var sum = 0.0
      for row in 0..<rows { sum += Double(dOutput[row &* channels &+ c]) }
      dBias[c] = Float(sum)
    }
  }
}
