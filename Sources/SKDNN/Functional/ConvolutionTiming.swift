import SKDKernels
import SKDRuntime

/// One of the computations of a convolution.
public enum ConvolutionPass {
  case forward, inputGradient, weightGradient, evaluation

  public var purpose: Conv2DAlgorithm.Purpose { self == .evaluation ? .evaluation : .training }
}

/// A convolution with everything that one of its passes reads and writes, to be timed.
public struct ConvolutionTiming {
  private let convolution: Conv2D
  private let pass: ConvolutionPass
  private let workers: Int
  /// Whether the pass reads the weights in another form than they are stored in.
  private let packs: Bool
  private let input, output, weight, packed, scratch: AlignedBuffer<Float>

  /// - Throws: `SKDError.outOfMemory`.
  public init(_ convolution: Conv2D, _ pass: ConvolutionPass) throws {
    let geometry = convolution.geometry
    let workers = WorkerPool.shared.threadCount
    (self.convolution, self.pass, self.workers) = (convolution, pass, workers)
    let packedCount, scratchCount: Int
    switch pass {
    case .forward, .evaluation:
      packedCount = convolution.packedWeightCount
      scratchCount = convolution.forwardScratchCount(workers: workers)
    case .inputGradient:
      packedCount = convolution.packedTransposeCount
      scratchCount = convolution.backwardInputScratchCount(workers: workers)
    case .weightGradient:
      packedCount = 0
      scratchCount = convolution.backwardWeightScratchCount(workers: workers)
    }
    packs = packedCount > 0
    try MachineMemory.require(
      floats: [
        geometry.input.count, geometry.output.count, geometry.weightCount, packedCount,
        scratchCount,
      ], for: "a convolution with its data")
    input = try Self.numbers(geometry.input.count)
    output = try Self.numbers(geometry.output.count)
    weight = try Self.numbers(geometry.weightCount)
    packed = try AlignedBuffer(count: packedCount)
    scratch = try AlignedBuffer(count: scratchCount)
  }

  /// Runs the pass once and returns the seconds of both parts.
  public func run() -> (pack: Double, kernel: Double) {
    let clock = ContinuousClock()
    let pack = clock.measure {
      switch pass {
      case .forward, .evaluation: convolution.packWeight(weight.pointer, into: packed.pointer)
      case .inputGradient: convolution.packTranspose(weight.pointer, into: packed.pointer)
      case .weightGradient: break
      }
    }
    let packedWeight = packs ? packed.pointer : weight.pointer
    let kernel = clock.measure {
      switch pass {
      case .forward, .evaluation:
        convolution.forward(
          input.pointer, packedWeight: packedWeight, output: output.pointer,
          scratch: scratch.pointer, workers: workers)
      case .inputGradient:
        convolution.backwardInput(
          output.pointer, packedTranspose: packedWeight, dInput: input.pointer,
          scratch: scratch.pointer, workers: workers)
      case .weightGradient:
        convolution.backwardWeight(
          input.pointer, output.pointer, dWeight: weight.pointer, scratch: scratch.pointer,
          workers: workers)
      }
    }
    return (packs ? pack.inSeconds : 0, kernel.inSeconds)
  }

  /// Ordinary numbers: the speed of arithmetic does not depend on them, unless they are subnormal.
  private static func numbers(_ count: Int) throws -> AlignedBuffer<Float> {
    let buffer = try AlignedBuffer<Float>(count: count)
    for i in 0..<count { buffer.pointer[i] = Float(i % 13 - 6) / 8 }
    return buffer
  }
}
