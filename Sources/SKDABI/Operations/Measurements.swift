import CSKD
import SKDKernels
import SKDNN
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
    // SKD_CONV2D_FORWARD, _INPUT_GRADIENT, _WEIGHT_GRADIENT, _EVALUATION
    let passes: [ConvolutionPass] = [.forward, .inputGradient, .weightGradient, .evaluation]
    return passes[try size(Int64(code), "pass", in: 0...passes.count - 1)]
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
      "support the shape (Winograd: kernel 3, stride 1, padding at most 2)",
      got: "kernel \(geometry.kernelSize), stride \(geometry.stride), padding "
        + "\(geometry.padding)")
    return algorithm
  }
}
