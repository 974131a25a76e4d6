import SKDRuntime

/// A two-dimensional convolution over NHWC images, forward and backward.
///
///     output[n, i, j, o] = bias[o] + Σ input[n, i s - p + y, j s - p + x, c] weight[y, x, c, o]
///
/// Weights are stored `[kernel row][kernel column][input][output]`. Some are packed before use, once
/// for each direction, into the form that the chosen algorithm reads. Nothing here allocates: the caller brings scratch
/// memory of the sizes that `forwardScratchCount` and the others state, aligned to 64 bytes. Operands
/// must not overlap. Results are bitwise the same for any number of threads.
///
/// The passes over memory that surround a convolution in a network are part of it: the batch norm
/// and LeakyReLU of its input (`normalization`), the moments of its output for the next batch norm,
/// and the use of the gradient of its input (`InputGradientUse`).
public struct Conv2D: Sendable {
  public let geometry: Conv2DGeometry
  public let algorithm: Conv2DAlgorithm
  private let purpose: Conv2DAlgorithm.Purpose

  /// - Parameters:
  ///   - algorithm: Nil for the choice of `Conv2DAlgorithm`. Winograd's must only be asked for where
  ///     the kernel is 3x3, the stride 1 and the padding at most 2.
  ///   - purpose: For `.evaluation`, packed weights may take longer to make, for they are kept.
  public init(
    _ geometry: Conv2DGeometry, algorithm: Conv2DAlgorithm? = nil,
    purpose: Conv2DAlgorithm.Purpose = .training
  ) {
    self.geometry = geometry
    self.algorithm = algorithm ?? Conv2DAlgorithm(for: geometry, purpose: purpose)
    self.purpose = purpose
  }

  private var winograd: WinogradConvolution {
    WinogradConvolution(geometry, precision: algorithm.precision, purpose: purpose)
  }
  private var transposedWinograd: WinogradConvolution {
    WinogradConvolution(geometry, isTransposed: true, precision: algorithm.precision)
  }
  private var gemm: GemmConvolution { GemmConvolution(geometry) }

  // MARK: Forward

  /// Form of packed weights: everything besides the weights that the packing depends on.
  public struct PackedForm: Hashable, Sendable {
    private let algorithm: Conv2DAlgorithm
    private let count: Int

    fileprivate init(_ algorithm: Conv2DAlgorithm, count: Int) {
      (self.algorithm, self.count) = (algorithm, count)
    }
  }

  /// The form of the weights packed for `forward`: batches of other sizes whose form is equal can
  /// use them too, while the weights stand.
  public var packedForm: PackedForm { PackedForm(algorithm, count: packedWeightCount) }

  /// Floats of the weights packed for `forward`; 0 if it reads them as they are stored, which it does
  /// for large ones in training.
  public var packedWeightCount: Int {
    switch algorithm {
    case .winograd, .winogradBFloat16: return winograd.packedWeightCount
    case .gemm: return gemm.packedWeightCount
    }
  }

  /// Packs the weights for `forward`. Writes (`=`).
  public func packWeight(
    _ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    switch algorithm {
    case .winograd, .winogradBFloat16: winograd.pack(weight, into: packed)
    case .gemm: gemm.pack(weight, into: packed)
    }
  }

  /// Floats of scratch for `forward` with at most `workers` threads.
  ///
  /// - Parameter normalizes: Whether the input is normalised as it is read.
  public func forwardScratchCount(workers: Int, normalizes: Bool = false) -> Int {
    switch algorithm {
    case .winograd, .winogradBFloat16: return winograd.scratchCount(workers: workers)
    case .gemm:
      return gemm.forwardScratchCount(workers: workers) + (normalizes ? normalizedCount : 0)
    }
  }

  /// Groups of output positions whose moments `forward` takes.
  public var momentGroups: Int {
    switch algorithm {
    case .winograd, .winogradBFloat16: return winograd.groupCount
    case .gemm: return gemm.groupCount
    }
  }

  /// Convolves, adds the bias and applies LeakyReLU of the given slope. Writes (`=`).
  ///
  /// - Parameters:
  ///   - normalization: Norm of the input, applied as it is read; nil for none.
  ///   - packedWeight: As packed, or as stored if `packedWeightCount` is 0.
  ///   - bias: One value per output channel, readable up to the next multiple of 32; nil for none.
  ///   - slope: 1 applies no activation.
  ///   - moments: Records of `momentGroups` groups, overwritten by the moments of the outputs, for
  ///     `mergeMoments`; nil for none. With moments, slope must be 1.
  public func forward(
    _ input: UnsafePointer<Float>, normalization: ChannelNormalization? = nil,
    packedWeight: UnsafePointer<Float>, bias: UnsafePointer<Float>? = nil, slope: Float = 1,
    output: UnsafeMutablePointer<Float>, moments: ChannelSumRecords? = nil,
    scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    precondition(moments == nil || slope == 1)
    switch algorithm {
    case .winograd, .winogradBFloat16:
      if let moments {
        winograd.forward(
          input, normalization: normalization, weight: packedWeight, output: output,
          sums: moments, scratch: scratch, workers: workers
        ) { group, isFirst in
          MomentsEpilogue(
            bias: bias, sums: moments[group], isFirst: isFirst)
        }
      } else {
        winograd.forward(
          input, normalization: normalization, weight: packedWeight, output: output, sums: nil,
          scratch: scratch, workers: workers
        ) { _, _ in AffineEpilogue(bias: bias, slope: slope) }
      }
    case .gemm:
      let (input, scratch) = normalized(input, normalization, scratch)
      gemm.forward(
        input, packedWeight: packedWeight, bias: bias, slope: slope, output: output,
        moments: moments, scratch: scratch, workers: workers)
    }
  }

  // MARK: Backward

  /// Floats of the weights packed for `backwardInput`; 0 if it reads them as they are stored.
  public var packedTransposeCount: Int {
    switch algorithm {
    case .winograd, .winogradBFloat16: return transposedWinograd.packedWeightCount
    case .gemm: return gemm.packedTransposeCount
    }
  }

  /// Packs the weights for `backwardInput`. Writes (`=`).
  public func packTranspose(
    _ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    switch algorithm {
    case .winograd, .winogradBFloat16: transposedWinograd.pack(weight, into: packed)
    case .gemm: gemm.packTranspose(weight, into: packed)
    }
  }

  /// Floats of scratch for `backwardInput` with at most `workers` threads.
  public func backwardInputScratchCount(workers: Int) -> Int {
    switch algorithm {
    case .winograd, .winogradBFloat16: return transposedWinograd.scratchCount(workers: workers)
    case .gemm: return workers * gemm.inputScratchCountPerWorker
    }
  }

  /// Groups of input positions whose gradient sums `backwardInput` takes.
  public var gradientGroups: Int {
    switch algorithm {
    case .winograd, .winogradBFloat16: return transposedWinograd.groupCount
    case .gemm: return gemm.gradientGroupCount
    }
  }

  /// The gradient of the input, as `use` wants it. Writes (`=`).
  ///
  /// - Parameter packedTranspose: As packed, or as stored if `packedTransposeCount` is 0.
  public func backwardInput(
    _ dOutput: UnsafePointer<Float>, packedTranspose: UnsafePointer<Float>,
    dInput: UnsafeMutablePointer<Float>, use: InputGradientUse = .plain,
    scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    switch algorithm {
    case .winograd, .winogradBFloat16:
      func run<Epilogue: OutputEpilogue>(
        _ sums: ChannelSumRecords?, _ epilogue: (Int, Bool) -> Epilogue
      ) {
        transposedWinograd.forward(
          dOutput, normalization: nil, weight: packedTranspose, output: dInput, sums: sums,
          scratch: scratch, workers: workers, epilogue: epilogue)
      }
      switch use {
      case .plain: run(nil) { _, _ in AffineEpilogue(bias: nil, slope: 1) }
      case .sum(let addend): run(nil) { _, _ in AddEpilogue(addend: addend) }
      case .throughNorm(let input, let normalization, let records):
        run(records) { group, _ in
          NormGradientEpilogue(
            input: input, normalization: normalization, sums: records[group])
        }
      }
    case .gemm:
      gemm.backwardInput(
        dOutput, packedTranspose: packedTranspose, dInput: dInput, scratch: scratch,
        workers: workers)
      gemm.finishInputGradient(dInput, use)
    }
  }

  /// Floats of scratch for `backwardWeight` with at most `workers` threads.
  ///
  /// - Parameter normalizes: Whether the input is normalised as it is read.
  public func backwardWeightScratchCount(workers: Int, normalizes: Bool = false) -> Int {
    switch algorithm {
    case .winograd, .winogradBFloat16:
      return WinogradWeightGradient(geometry).scratchCount(workers: workers)
    case .gemm: return gemm.weightScratchCount + (normalizes ? normalizedCount : 0)
    }
  }

  /// The gradient of the weights, in their storage order. Writes (`=`).
  ///
  /// - Parameter normalization: Norm of the input, applied as it is read; nil for none.
  public func backwardWeight(
    _ input: UnsafePointer<Float>, normalization: ChannelNormalization? = nil,
    _ dOutput: UnsafePointer<Float>, dWeight: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, workers: Int
  ) {
    switch algorithm {
    case .winograd, .winogradBFloat16:
      WinogradWeightGradient(geometry).gradient(
        input, normalization: normalization, dOutput, dWeight: dWeight, scratch: scratch,
        workers: workers)
    case .gemm:
      let (input, scratch) = normalized(input, normalization, scratch)
      gemm.backwardWeight(input, dOutput, dWeight: dWeight, scratch: scratch)
    }
  }

  // MARK: Normalisation

  /// Floats that a normalised input takes at the start of the scratch memory.
  private var normalizedCount: Int { (geometry.input.count + 15) / 16 * 16 }

  /// The normalised input, for an algorithm that reads its input more than once, and the scratch
  /// memory that is left.
  private func normalized(
    _ input: UnsafePointer<Float>, _ normalization: ChannelNormalization?,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> (UnsafePointer<Float>, UnsafeMutablePointer<Float>) {
    guard let normalization else { return (input, scratch) }
    batchNormForward(
      input, rows: geometry.input.rows, channels: geometry.input.channels, normalization,
      output: scratch)
    return (UnsafePointer(scratch), scratch + normalizedCount)
  }
}

/// Work on the gradient of a convolution's input on its way to memory.
public enum InputGradientUse {
  /// It is written.
  case plain
  /// Another gradient of the same extent is added to it.
  case sum(UnsafePointer<Float>)
  /// The input was `normalization` of another tensor, `of`: the gradient before the activation is
  /// written, and its sums for `mergeGradientSums` to `records`, of `gradientGroups` groups.
  case throughNorm(
    of: UnsafePointer<Float>, ChannelNormalization, records: ChannelSumRecords)
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
