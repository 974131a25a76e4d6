import SKDKernels
import SKDRuntime

/// A convolution, or a linear layer as the convolution of 1x1 images.
final class Conv2DLayer {
  let weight: StateEntry
  let bias: StateEntry?
  let inputChannels: Int
  let outputChannels: Int
  private let kernelSize: Int
  private let stride: Int
  private let padding: Int
  private let store: ParameterStore
  private var input: DeferredActivation?
  private var folded: [Conv2D.PackedForm: FoldedWeight] = [:]

  /// - Parameter initializer: Initializer of the weight; nil for PyTorch's default, uniform in ±1/√fan_in. A
  ///   bias always starts so.
  init(
    _ name: String, in store: ParameterStore, inputs: Int, outputs: Int, kernelSize: Int,
    stride: Int = 1, hasBias: Bool, initializer: Initializer? = nil
  ) {
    let fanIn = Float(inputs * kernelSize * kernelSize)
    let standard = Initializer.uniform(bound: 1 / fanIn.squareRoot())
    weight = store.convolutionWeight(
      "\(name).weight", inputs: inputs, outputs: outputs, kernelSize: kernelSize,
      initializer: initializer ?? standard)
    bias =
      hasBias ? store.vector("\(name).bias", count: outputs, initializer: standard) : nil
    (inputChannels, outputChannels) = (inputs, outputs)
    (self.kernelSize, self.stride, padding) = (kernelSize, stride, kernelSize / 2)
    self.store = store
  }

  /// A linear layer with bias.
  init(linear name: String, in store: ParameterStore, inputs: Int, outputs: Int) {
    let standard = Initializer.uniform(bound: 1 / Float(inputs).squareRoot())
    weight = store.linearWeight(
      "\(name).weight", inputs: inputs, outputs: outputs, initializer: standard)
    bias = store.vector("\(name).bias", count: outputs, initializer: standard)
    (inputChannels, outputChannels) = (inputs, outputs)
    (kernelSize, stride, padding) = (1, 1, 0)
    self.store = store
  }

  private func convolution(
    of shape: ImageShape, for purpose: Conv2DAlgorithm.Purpose = .training
  ) -> Conv2D {
    let geometry = Conv2DGeometry(
      input: shape, outputChannels: outputChannels, kernelSize: kernelSize, stride: stride,
      padding: padding)
    return Conv2D(
      geometry,
      algorithm: Conv2DAlgorithm(for: geometry, purpose: purpose, precision: store.precision),
      purpose: purpose)
  }

  // MARK: Training

  /// The convolution of `input`, which is kept for the backward pass.
  func forward(_ input: Tensor, _ pool: BufferPool) throws -> Tensor {
    try forward(DeferredActivation(input), moments: nil, pool)
  }

  /// The convolution of `input`, which is kept for the backward pass, and its moments for a batch
  /// norm.
  func forward(_ input: DeferredActivation, _ pool: BufferPool) throws -> (
    Tensor, PooledChannelSums
  ) {
    let groups = convolution(of: input.tensor.shape).momentGroups
    let moments = try PooledChannelSums(groups: groups, channels: outputChannels, pool)
    return (try forward(input, moments: moments, pool), moments)
  }

  private func forward(_ input: DeferredActivation, moments: PooledChannelSums?, _ pool: BufferPool)
    throws
    -> Tensor
  {
    let convolution = convolution(of: input.tensor.shape)
    let workers = WorkerPool.shared.threadCount
    let scratch = try pool.scratch(
      convolution.forwardScratchCount(workers: workers, normalizes: input.normalization != nil))
    let output = try pool.tensor(convolution.geometry.output)
    let packed = try packed(convolution.packedWeightCount, pool) {
      convolution.packWeight(weight.values, into: $0)
    }
    pool.compute {
      convolution.forward(
        input.tensor.pointer, normalization: input.normalization,
        packedWeight: packed?.pointer ?? weight.values, bias: bias?.values,
        output: output.pointer, moments: moments?.records, scratch: scratch.pointer,
        workers: workers)
    }
    self.input = input
    return output
  }

  /// Packed weights, or nil if they are read as they are stored.
  private func packed(
    _ count: Int, _ pool: BufferPool, _ pack: (UnsafeMutablePointer<Float>) -> Void
  ) throws -> Tensor? {
    guard count > 0 else { return nil }
    let packed = try pool.scratch(count)
    pool.compute { pack(packed.pointer) }
    return packed
  }

  /// Writes the gradients of the weight and the bias; returns the gradient of the input if it is
  /// needed.
  ///
  /// - Parameter addend: Another gradient of the input, which is added to this one.
  func backward(
    _ dOutput: Tensor, needsInputGradient: Bool = true, adding addend: Tensor? = nil,
    _ pool: BufferPool
  ) throws -> Tensor? {
    let convolution = try weightGradient(dOutput, pool)
    guard needsInputGradient else { return nil }
    return try inputGradient(
      dOutput, convolution, use: addend.map { .sum($0.pointer) } ?? .plain, pool)
  }

  /// Writes the gradients of the weight and the bias; returns the gradient of `norm`'s output,
  /// before the activation, and its sums.
  func backward(_ dOutput: Tensor, through norm: BatchNormLayer, _ pool: BufferPool) throws -> (
    Tensor, PooledChannelSums
  ) {
    let convolution = try weightGradient(dOutput, pool)
    let sums = try PooledChannelSums(
      groups: convolution.gradientGroups, channels: inputChannels, pool)
    return (try inputGradient(dOutput, convolution, use: norm.gradientUse(sums), pool), sums)
  }

  private func weightGradient(_ dOutput: Tensor, _ pool: BufferPool) throws -> Conv2D {
    guard let input else { preconditionFailure("backward before forward") }
    self.input = nil
    let convolution = convolution(of: input.tensor.shape)
    let workers = WorkerPool.shared.threadCount
    let scratch = try pool.scratch(
      convolution.backwardWeightScratchCount(
        workers: workers, normalizes: input.normalization != nil))
    pool.compute {
      convolution.backwardWeight(
        input.tensor.pointer, normalization: input.normalization, dOutput.pointer,
        dWeight: weight.gradient, scratch: scratch.pointer, workers: workers)
      if let bias {
        biasGradient(
          dOutput.pointer, rows: dOutput.shape.rows, channels: outputChannels,
          dBias: bias.gradient)
      }
    }
    weight.hasGradient = true
    bias?.hasGradient = true
    return convolution
  }

  private func inputGradient(
    _ dOutput: Tensor, _ convolution: Conv2D, use: InputGradientUse, _ pool: BufferPool
  ) throws -> Tensor {
    let workers = WorkerPool.shared.threadCount
    let scratch = try pool.scratch(convolution.backwardInputScratchCount(workers: workers))
    let dInput = try pool.tensor(convolution.geometry.input)
    let packed = try packed(convolution.packedTransposeCount, pool) {
      convolution.packTranspose(weight.values, into: $0)
    }
    pool.compute {
      convolution.backwardInput(
        dOutput.pointer, packedTranspose: packed?.pointer ?? weight.values,
        dInput: dInput.pointer, use: use, scratch: scratch.pointer, workers: workers)
    }
    return dInput
  }

  // MARK: Evaluation

  /// The convolution with a batch norm of running statistics folded into its weights, followed by
  /// LeakyReLU of the given slope (1: none). Keeps nothing but the folded weights.
  func evaluate(
    _ input: Tensor, _ pool: BufferPool, folding norm: BatchNormLayer? = nil, slope: Float = 1
  ) throws -> Tensor {
    let convolution = convolution(of: input.shape, for: .evaluation)
    let folded = try foldedWeight(norm, convolution, pool)
    let workers = WorkerPool.shared.threadCount
    let scratch = try pool.scratch(convolution.forwardScratchCount(workers: workers))
    let output = try pool.tensor(convolution.geometry.output)
    pool.compute {
      convolution.forward(
        input.pointer, packedWeight: folded.packed.pointer, bias: folded.bias.pointer,
        slope: slope, output: output.pointer, scratch: scratch.pointer, workers: workers)
    }
    return output
  }

  /// The packed weights of evaluation, kept while the network's state stands. Small batches may read
  /// them in another form than large ones: each keeps its own.
  private func foldedWeight(_ norm: BatchNormLayer?, _ convolution: Conv2D, _ pool: BufferPool)
    throws -> FoldedWeight
  {
    let form = convolution.packedForm
    let cached = folded[form]
    if let cached, cached.version == store.version { return cached }
    let result =
      try cached
      ?? FoldedWeight(
        packedCount: convolution.packedWeightCount, biasCount: convolution.geometry.paddedBiasCount,
        ledger: store.ledger)
    let scaled = try pool.scratch(weight.count)
    pool.compute { fold(norm, into: result, convolution, scaled.pointer) }
    result.version = store.version
    folded[form] = result
    return result
  }

  /// - Parameter scaled: Memory of the weight's extent; overwritten.
  private func fold(
    _ norm: BatchNormLayer?, into result: FoldedWeight, _ convolution: Conv2D,
    _ scaled: UnsafeMutablePointer<Float>
  ) {
    let scales = (0..<outputChannels).map { output -> Float in
      let (scale, shift) = norm?.scaleAndShift(of: output) ?? (1, 0)
      result.bias.pointer[output] = scale * (bias?.values[output] ?? 0) + shift
      return scale
    }
    let values = weight.values
    scales.withUnsafeBufferPointer { scales in
      for row in Swift.stride(from: 0, to: weight.count, by: outputChannels) {
        for o in 0..<outputChannels { scaled[row + o] = scales[o] * values[row + o] }
      }
    }
    convolution.packWeight(scaled, into: result.packed.pointer)
  }
}

/// Weights as evaluation uses them: packed, with a batch norm folded in.
private final class FoldedWeight {
  let packed: AlignedBuffer<Float>
  let bias: AlignedBuffer<Float>
  var version = 0  // of the state they were made from

  init(packedCount: Int, biasCount: Int, ledger: MemoryLedger?) throws {
    packed = try AlignedBuffer(count: packedCount, ledger: ledger)
    bias = try AlignedBuffer(count: biasCount, ledger: ledger)
  }
}
