import SKDKernels
import SKDRuntime

/// Operations on arrays in PyTorch's order, each for one call: they pack weights, which layers keep
/// packed, and borrow scratch memory from `OperationMemory`.
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
    let biasCount = bias == nil ? 0 : geometry.paddedBiasCount
    try OperationMemory.lend(
      [geometry.weightCount, packedCount, biasCount, scratchCount], for: "a convolution"
    ) { memory in
      let (storage, packed, padded) = (memory[0], memory[1], memory[2])
      if let bias {
        padded.update(from: bias, count: geometry.outputChannels)
        (padded + geometry.outputChannels)
          .update(repeating: 0, count: biasCount - geometry.outputChannels)
      }
      geometry.storeOIHW(weight, into: storage)
      convolution.packWeight(storage, into: packed)
      convolution.forward(
        input, packedWeight: packedCount > 0 ? packed : storage,
        bias: bias == nil ? nil : UnsafePointer(padded), output: output, scratch: memory[3],
        workers: workers)
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
    // The weights and their gradient lie in the same place, one after the other.
    try OperationMemory.lend(
      [storageCount, packedCount, scratchCount], for: "the gradients of a convolution"
    ) { memory in
      let (storage, packed, scratch) = (memory[0], memory[1], memory[2])
      if let dInput {
        geometry.storeOIHW(weight, into: storage)
        convolution.packTranspose(storage, into: packed)
        convolution.backwardInput(
          dOutput, packedTranspose: packedCount > 0 ? packed : storage, dInput: dInput,
          scratch: scratch, workers: workers)
      }
      if let dWeight {
        convolution.backwardWeight(
          input, dOutput, dWeight: storage, scratch: scratch, workers: workers)
        geometry.loadOIHW(storage, into: dWeight)
      }
      if let dBias {
        biasGradient(
          dOutput, rows: geometry.output.rows, channels: geometry.outputChannels, dBias: dBias)
      }
    }
  }
}
