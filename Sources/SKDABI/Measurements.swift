import CSKD
import SKDKernels
import SKDRuntime

@c @implementation
public func skd_peak_gflops(_ threads: Int64, _ gflops: UnsafeMutablePointer<Double>!) -> skd_status
{
  status("peak_gflops") { arguments in
    let gflops = try arguments.pointer(gflops, "gflops")
    let threads = try arguments.size(threads, "threads", in: 1...WorkerPool.shared.threadCount)
    gflops.pointee = measurePeakRate(threads: threads) * 1e-9
  }
}

@c @implementation
public func skd_conv2d_algorithm(
  _ shape: UnsafePointer<skd_conv2d_shape>!, _ pass: Int32,
  _ algorithm: UnsafeMutablePointer<Int32>!
) -> skd_status {
  status("conv2d_algorithm") { arguments in
    let algorithm = try arguments.pointer(algorithm, "algorithm")
    let geometry = try arguments.convolution(shape)
    let pass = try arguments.pass(pass)
    algorithm.pointee = Conv2DAlgorithm(for: geometry, purpose: pass.purpose).code
  }
}

@c @implementation
public func skd_conv2d_time(
  _ shape: UnsafePointer<skd_conv2d_shape>!, _ pass: Int32, _ algorithm: Int32, _ runs: Int64,
  _ pack_seconds: UnsafeMutablePointer<Double>!, _ seconds: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("conv2d_time") { arguments in
    let geometry = try arguments.convolution(shape)
    let pass = try arguments.pass(pass)
    let algorithm = try arguments.algorithm(algorithm, for: geometry, pass.purpose)
    let runs = try arguments.size(runs, "runs", in: 1...10_000)
    let packSeconds = try arguments.pointer(pack_seconds, "pack_seconds")
    let seconds = try arguments.pointer(seconds, "seconds")
    let convolution = Conv2D(geometry, algorithm: algorithm, purpose: pass.purpose)
    let timing = try ConvolutionTiming(convolution, pass)
    _ = timing.run()
    for run in 0..<runs { (packSeconds[run], seconds[run]) = timing.run() }
  }
}

private enum ConvolutionPass {
  case forward, inputGradient, weightGradient, evaluation

  var purpose: Conv2DAlgorithm.Purpose { self == .evaluation ? .evaluation : .training }
}

/// A convolution with all that one of its passes reads and writes.
private struct ConvolutionTiming {
  let convolution: Conv2D
  let pass: ConvolutionPass
  let workers: Int
  /// Whether the pass reads the weights in another form than they are stored in.
  let packs: Bool
  let input, output, weight, packed, scratch: AlignedBuffer<Float>

  /// - Throws: `SKDError.outOfMemory`.
  init(_ convolution: Conv2D, _ pass: ConvolutionPass) throws {
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
  func run() -> (pack: Double, kernel: Double) {
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

extension Conv2DAlgorithm {
  fileprivate var code: Int32 {
    switch self {
    case .winograd: return Int32(SKD_CONV2D_WINOGRAD)
    case .winogradBFloat16: return Int32(SKD_CONV2D_WINOGRAD_BFLOAT16)
    case .gemm: return Int32(SKD_CONV2D_GEMM)
    }
  }
}

extension Arguments {
  fileprivate func pass(_ code: Int32) throws -> ConvolutionPass {
    switch Int(code) {
    case Int(SKD_CONV2D_FORWARD): return .forward
    case Int(SKD_CONV2D_INPUT_GRADIENT): return .inputGradient
    case Int(SKD_CONV2D_WEIGHT_GRADIENT): return .weightGradient
    case Int(SKD_CONV2D_EVALUATION): return .evaluation
    default:
      throw SKDError.invalidArgument(
        InvalidArgument("pass", of: function, in: 0...3, got: Int(code)))
    }
  }

  /// The algorithm, if it supports the geometry.
  fileprivate func algorithm(
    _ code: Int32, for geometry: Conv2DGeometry, _ purpose: Conv2DAlgorithm.Purpose
  ) throws -> Conv2DAlgorithm {
    let algorithm: Conv2DAlgorithm
    switch Int(code) {
    case Int(SKD_CONV2D_AUTOMATIC): return Conv2DAlgorithm(for: geometry, purpose: purpose)
    case Int(SKD_CONV2D_WINOGRAD): algorithm = .winograd
    case Int(SKD_CONV2D_WINOGRAD_BFLOAT16): algorithm = .winogradBFloat16
    case Int(SKD_CONV2D_GEMM): algorithm = .gemm
    default:
      throw SKDError.invalidArgument(
        InvalidArgument("algorithm", of: function, in: 0...3, got: Int(code)))
    }
    try require(
      algorithm.supports(geometry), "algorithm",
      "support the shape (Winograd: kernel 3, stride 1, padding 1, channels that are multiples of "
        + "32)",
      got: "kernel \(geometry.kernelSize), stride \(geometry.stride), padding "
        + "\(geometry.padding), channels \(geometry.input.channels) and "
        + "\(geometry.outputChannels)")
    return algorithm
  }
}
