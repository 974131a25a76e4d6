import Foundation
import SKDRuntime
import SKDTestSupport

@testable import SKDKernels

/// A convolution with values, run by the kernels in guarded memory that starts out NaN.
struct Conv2DCase: CustomStringConvertible, Sendable {
  var reference: Conv2DReference
  var algorithm: Conv2DAlgorithm
  var purpose = Conv2DAlgorithm.Purpose.training
  /// What the input is made of as it is read, if a batch norm comes before: `reference.input` is then
  /// what the norm and its activation make of `values`.
  var source: (values: [Float], norm: ChannelValues)?

  /// - Parameters:
  ///   - algorithm: nil for the one that the geometry chooses.
  ///   - slope: With nil there is no bias either.
  init(
    batch: Int = 1, height: Int, width: Int, inputs: Int, outputs: Int, kernelSize: Int,
    stride: Int = 1, padding: Int = 0, slope: Float? = nil, algorithm: Conv2DAlgorithm? = nil
  ) {
    reference = Conv2DReference(
      batch: batch, height: height, width: width, inputs: inputs, outputs: outputs,
      kernelSize: kernelSize, stride: stride, padding: padding)
    reference.input = Self.values(reference.inputCount, from: 0)
    reference.weight = Self.values(reference.weightCount, from: 101)
    reference.dOutput = Self.values(reference.outputCount, from: 211)
    reference.bias = slope == nil ? nil : Self.values(outputs, from: 307)
    reference.slope = slope ?? 1
    self.algorithm = .gemm
    self.algorithm = algorithm ?? Conv2DAlgorithm(for: geometry)
  }

  /// Values in [-1, 1). They repeat after a prime, because drawing them is slow in debug builds.
  private static func values(_ count: Int, from start: Int) -> [Float] {
    var values = Array(pool[start...].prefix(count))
    while values.count < count { values += pool.prefix(count - values.count) }
    return values
  }
  private static let pool = fill("convolution", shape: [9973], seed: 1)

  var geometry: Conv2DGeometry {
    Conv2DGeometry(
      input: ImageShape(
        batch: reference.batch, height: reference.height, width: reference.width,
        channels: reference.inputs),
      outputChannels: reference.outputs, kernelSize: reference.kernelSize,
      stride: reference.stride, padding: reference.padding)
  }

  var description: String {
    "\(algorithm): \(reference.batch)x\(reference.height)x\(reference.width), "
      + "\(reference.inputs) -> \(reference.outputs) channels, kernel \(reference.kernelSize), "
      + "stride \(reference.stride), padding \(reference.padding), "
      + "\(reference.bias == nil ? "no bias" : "bias"), slope \(reference.slope)"
  }

  var convolution: Conv2D { Conv2D(geometry, algorithm: algorithm, purpose: purpose) }
  var workers: Int { WorkerPool.shared.threadCount }

  /// What a pass wrote, and whether it left everything else alone.
  struct Result {
    var values: [Float]
    var isIntact: Bool
    var bytes: Data { values.withUnsafeBytes { Data($0) } }

    init(of written: GuardedBuffer, _ others: GuardedBuffer...) {
      values = written.values
      isIntact = ([written] + others).allSatisfy(\.isIntact)
    }
  }

  // MARK: Passes

  func forward() -> Result { forward(moments: nil) }

  /// - Parameter moments: Records of `momentGroups` groups.
  func forward(moments: (memory: GuardedBuffer, records: ChannelSumRecords)?) -> Result {
    withInput { input, normalization in
      let weight = GuardedBuffer(reference.weight)
      let unused = [Float](repeating: .nan, count: -reference.outputs & 31)
      let bias = GuardedBuffer((reference.bias ?? []) + unused)
      let packed = aligned(convolution.packedWeightCount)
      let scratch = aligned(
        convolution.forwardScratchCount(workers: workers, normalizes: normalization != nil))
      let output = GuardedBuffer(count: reference.outputCount)
      convolution.packWeight(weight.pointer, into: packed.pointer)
      convolution.forward(
        input.pointer, normalization: normalization,
        packedWeight: convolution.packedWeightCount > 0 ? packed.pointer : weight.pointer,
        bias: reference.bias == nil ? nil : bias.pointer, slope: reference.slope,
        output: output.pointer, moments: moments?.records, scratch: scratch.pointer,
        workers: workers)
      return Result(of: output, input, weight, bias, packed, scratch, moments?.memory ?? bias)
    }
  }

  func backwardInput() -> Result { backwardInput(use: .plain) }

  func backwardInput(use: InputGradientUse) -> Result {
    let (dOutput, weight) = (GuardedBuffer(reference.dOutput), GuardedBuffer(reference.weight))
    let packed = aligned(convolution.packedTransposeCount)
    let scratch = aligned(convolution.backwardInputScratchCount(workers: workers))
    let dInput = GuardedBuffer(count: reference.inputCount)
    convolution.packTranspose(weight.pointer, into: packed.pointer)
    convolution.backwardInput(
      dOutput.pointer,
      packedTranspose: convolution.packedTransposeCount > 0 ? packed.pointer : weight.pointer,
      dInput: dInput.pointer, use: use, scratch: scratch.pointer, workers: workers)
    return Result(of: dInput, dOutput, weight, packed, scratch)
  }

  func backwardWeight() -> Result {
    withInput { input, normalization in
      let dOutput = GuardedBuffer(reference.dOutput)
      let scratch = aligned(
        convolution.backwardWeightScratchCount(
          workers: workers, normalizes: normalization != nil))
      let dWeight = GuardedBuffer(count: reference.weightCount)
      convolution.backwardWeight(
        input.pointer, normalization: normalization, dOutput.pointer, dWeight: dWeight.pointer,
        scratch: scratch.pointer, workers: workers)
      return Result(of: dWeight, input, dOutput, scratch)
    }
  }

  func biasGradient() -> Result {
    let dOutput = GuardedBuffer(reference.dOutput)
    let dBias = GuardedBuffer(count: reference.outputs)
    SKDKernels.biasGradient(
      dOutput.pointer, rows: geometry.output.rows, channels: reference.outputs,
      dBias: dBias.pointer)
    return Result(of: dBias, dOutput)
  }

  /// Calls `body` with the input as the kernels get it, and how they are to normalise it.
  private func withInput(_ body: (GuardedBuffer, ChannelNormalization?) -> Result) -> Result {
    let input = GuardedBuffer(source?.values ?? reference.input)
    guard let source else { return body(input, nil) }
    let guarded = GuardedChannelValues(source.norm)
    return withExtendedLifetime(guarded) {
      var result = body(input, guarded.normalization)
      result.isIntact = result.isIntact && guarded.buffers.allSatisfy(\.isIntact)
      return result
    }
  }

  private func aligned(_ count: Int) -> GuardedBuffer { GuardedBuffer(count: count, alignment: 64) }
}
