import CSKD
import SKDKernels
import SKDNN
import SKDRuntime

@c @implementation
public func skd_batch_norm_forward_train(
  _ input: UnsafePointer<Float>!, _ rows: Int64, _ channels: Int64,
  _ weight: UnsafePointer<Float>!, _ bias: UnsafePointer<Float>!, _ eps: Float, _ momentum: Float,
  _ running_mean: UnsafeMutablePointer<Float>!, _ running_var: UnsafeMutablePointer<Float>!,
  _ output: UnsafeMutablePointer<Float>!, _ saved_mean: UnsafeMutablePointer<Float>!,
  _ saved_inverse_std: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("batch_norm_forward_train") { arguments in
    let input = try arguments.pointer(input, "input")
    let weight = try arguments.pointer(weight, "weight")
    let bias = try arguments.pointer(bias, "bias")
    let runningMean = try arguments.pointer(running_mean, "running_mean")
    let runningVariance = try arguments.pointer(running_var, "running_var")
    let output = try arguments.pointer(output, "output")
    let savedMean = try arguments.pointer(saved_mean, "saved_mean")
    let savedInverseStd = try arguments.pointer(saved_inverse_std, "saved_inverse_std")
    let (rows, channels) = try arguments.matrix(
      rows, channels, columnsName: "channels", minimumRows: 2)
    try arguments.positive(eps, "eps")
    try arguments.number(momentum, "momentum", in: 0...1)
    try Functional.batchNormTrain(
      input, rows: rows, channels: channels, weight: weight, bias: bias, eps: eps,
      momentum: momentum, runningMean: runningMean, runningVariance: runningVariance,
      output: output, savedMean: savedMean, savedInverseStd: savedInverseStd)
  }
}

@c @implementation
public func skd_batch_norm_forward_eval(
  _ input: UnsafePointer<Float>!, _ rows: Int64, _ channels: Int64,
  _ weight: UnsafePointer<Float>!, _ bias: UnsafePointer<Float>!, _ eps: Float,
  _ running_mean: UnsafePointer<Float>!, _ running_var: UnsafePointer<Float>!,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("batch_norm_forward_eval") { arguments in
    let input = try arguments.pointer(input, "input")
    let weight = try arguments.pointer(weight, "weight")
    let bias = try arguments.pointer(bias, "bias")
    let runningMean = try arguments.pointer(running_mean, "running_mean")
    let runningVariance = try arguments.pointer(running_var, "running_var")
    let output = try arguments.pointer(output, "output")
    let (rows, channels) = try arguments.matrix(rows, channels, columnsName: "channels")
    try arguments.positive(eps, "eps")
    for channel in 0..<channels {
      let value = runningVariance[channel]
      try arguments.require(
        value >= 0, "running_var", "be >= 0", got: "\(value) at index \(channel)")
    }
    try Functional.batchNormEvaluate(
      input, rows: rows, channels: channels, weight: weight, bias: bias, eps: eps,
      runningMean: runningMean, runningVariance: runningVariance, output: output)
  }
}

@c @implementation
public func skd_batch_norm_backward(
  _ input: UnsafePointer<Float>!, _ d_output: UnsafePointer<Float>!, _ rows: Int64,
  _ channels: Int64, _ weight: UnsafePointer<Float>!, _ mean: UnsafePointer<Float>!,
  _ inverse_std: UnsafePointer<Float>!, _ batch_statistics: Int32,
  _ d_input: UnsafeMutablePointer<Float>!, _ d_weight: UnsafeMutablePointer<Float>!,
  _ d_bias: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("batch_norm_backward") { arguments in
    let input = try arguments.pointer(input, "input")
    let dOutput = try arguments.pointer(d_output, "d_output")
    let weight = try arguments.pointer(weight, "weight")
    let mean = try arguments.pointer(mean, "mean")
    let inverseStd = try arguments.pointer(inverse_std, "inverse_std")
    let dInput = try arguments.pointer(d_input, "d_input")
    let dWeight = try arguments.pointer(d_weight, "d_weight")
    let dBias = try arguments.pointer(d_bias, "d_bias")
    let (rows, channels) = try arguments.matrix(rows, channels, columnsName: "channels")
    let usesBatchStatistics = try arguments.flag(batch_statistics, "batch_statistics")
    try Functional.batchNormBackward(
      input, dOutput, rows: rows, channels: channels, weight: weight, mean: mean,
      inverseStd: inverseStd, usesBatchStatistics: usesBatchStatistics, dInput: dInput,
      dWeight: dWeight, dBias: dBias)
  }
}
