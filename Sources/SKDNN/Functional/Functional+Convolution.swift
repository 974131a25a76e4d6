import SKDKernels
import SKDRuntime

/// Operations on arrays in PyTorch's order, each for one call: they pack weights and allocate their
/// scratch memory, which layers keep.
///
/// - Throws: `SKDError.outOfMemory`, with all outputs untouched.
public enum Functional {
  /// output[n,i,j,o] = bias[o] + sum over kernel and channels; weights are OIHW.
  public static func conv2D(
    _ geometry: Conv2DGeometry, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>
  ) throws {
    let convolution = Conv2D(geometry)
    let workers = WorkerPool.shared.threadCount
    let (packedCount, scratchCount) = (
      convolution.packedWeightCount, convolution.forwardScratchCount(workers: workers)
    )
    try MachineMemory.require(
      floats: [geometry.weightCount, packedCount, scratchCount], for: "a convolution")
    let storage = try AlignedBuffer<Float>(count: geometry.weightCount)
    let packed = try AlignedBuffer<Float>(count: packedCount)
    let scratch = try AlignedBuffer<Float>(count: scratchCount)
    let paddedBias = try bias.map { bias in
      let padded = try AlignedBuffer<Float>(count: geometry.paddedBiasCount)
      padded.pointer.update(from: bias, count: geometry.outputChannels)
      return padded
    }
    geometry.storeOIHW(weight, into: storage.pointer)
    convolution.packWeight(storage.pointer, into: packed.pointer)
    let isPacked = packedCount > 0
    withExtendedLifetime((storage, packed, scratch, paddedBias)) {
      convolution.forward(
        input, packedWeight: isPacked ? packed.pointer : storage.pointer,
        bias: paddedBias.map { UnsafePointer($0.pointer) }, output: output,
        scratch: scratch.pointer, workers: workers)
    }
  }

  /// Those gradients of `conv2D` that are not nil, overwritten (`=`).
  public static func conv2DBackward(
    _ geometry: Conv2DGeometry, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    dOutput: UnsafePointer<Float>, dInput: UnsafeMutablePointer<Float>?,
    dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?
  ) throws {
    let convolution = Conv2D(geometry)
    let workers = WorkerPool.shared.threadCount
    var (storageCount, packedCount, scratchCount) = (0, 0, 0)
    if dInput != nil {
      storageCount = geometry.weightCount
      packedCount = convolution.packedTransposeCount
      scratchCount = convolution.backwardInputScratchCount(workers: workers)
    }
    if dWeight != nil {
      storageCount = geometry.weightCount
      scratchCount = max(scratchCount, convolution.backwardWeightScratchCount(workers: workers))
    }
    try MachineMemory.require(
      floats: [storageCount, packedCount, scratchCount], for: "the gradients of a convolution")
    // One after the other, the weights and their gradient.
    let storage = try AlignedBuffer<Float>(count: storageCount)
    let packed = try AlignedBuffer<Float>(count: packedCount)
    let scratch = try AlignedBuffer<Float>(count: scratchCount)
    withExtendedLifetime((storage, packed, scratch)) {
      if let dInput {
        geometry.storeOIHW(weight, into: storage.pointer)
        convolution.packTranspose(storage.pointer, into: packed.pointer)
        let isPacked = packedCount > 0
        convolution.backwardInput(
          dOutput, packedTranspose: isPacked ? packed.pointer : storage.pointer, dInput: dInput,
          scratch: scratch.pointer, workers: workers)
      }
      if let dWeight {
        convolution.backwardWeight(
          input, dOutput, dWeight: storage.pointer, scratch: scratch.pointer, workers: workers)
        geometry.loadOIHW(storage.pointer, into: dWeight)
      }
      if let dBias {
        biasGradient(
          dOutput, rows: geometry.output.rows, channels: geometry.outputChannels, dBias: dBias)
      }
    }
  }
}
