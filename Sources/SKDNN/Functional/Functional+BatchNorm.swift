import SKDKernels
import SKDRuntime

extension Functional {
  /// Normalises by the statistics of the batch, and moves the running ones towards them.
  ///
  /// - Parameters:
  ///   - rows: At least 2.
  ///   - savedMean, savedInverseStd: Overwritten (`=`) with the statistics that `batchNormBackward`
  ///     reads.
  public static func batchNormTrain(
    _ input: UnsafePointer<Float>, rows: Int, channels: Int, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, eps: Float, momentum: Float,
    runningMean: UnsafeMutablePointer<Float>, runningVariance: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>, savedMean: UnsafeMutablePointer<Float>,
    savedInverseStd: UnsafeMutablePointer<Float>
  ) throws {
    let variance = try AlignedBuffer<Float>(count: channels)
    let scratch = try AlignedBuffer<Float>(
      count: batchNormScratchCount(rows: rows, channels: channels))
    batchNormStatistics(
      input, rows: rows, channels: channels, mean: savedMean, variance: variance.pointer,
      scratch: scratch.pointer)
    updateRunningStatistics(
      mean: savedMean, variance: variance.pointer, rows: rows, channels: channels,
      momentum: momentum, runningMean: runningMean, runningVariance: runningVariance)
    inverseStandardDeviation(
      variance: variance.pointer, channels: channels, eps: eps, inverseStd: savedInverseStd)
    batchNormForward(
      input, rows: rows, channels: channels, mean: savedMean, inverseStd: savedInverseStd,
      weight: weight, bias: bias, slope: 1, output: output)
  }

  /// Normalises by the running statistics.
  public static func batchNormEvaluate(
    _ input: UnsafePointer<Float>, rows: Int, channels: Int, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, eps: Float, runningMean: UnsafePointer<Float>,
    runningVariance: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) throws {
    let inverseStd = try AlignedBuffer<Float>(count: channels)
    inverseStandardDeviation(
      variance: runningVariance, channels: channels, eps: eps, inverseStd: inverseStd.pointer)
    batchNormForward(
      input, rows: rows, channels: channels, mean: runningMean, inverseStd: inverseStd.pointer,
      weight: weight, bias: bias, slope: 1, output: output)
  }

  /// Gradients of either, overwritten (`=`).
  ///
  /// - Parameter usesBatchStatistics: Whether mean and deviation depend on the input.
  public static func batchNormBackward(
    _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>, rows: Int, channels: Int,
    weight: UnsafePointer<Float>, mean: UnsafePointer<Float>, inverseStd: UnsafePointer<Float>,
    usesBatchStatistics: Bool, dInput: UnsafeMutablePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>
  ) throws {
    let noBias = try AlignedBuffer<Float>(count: channels)  // without activation it has no effect
    let scratch = try AlignedBuffer<Float>(
      count: batchNormScratchCount(rows: rows, channels: channels))
    SKDKernels.batchNormBackward(
      input, dOutput, rows: rows, channels: channels, mean: mean, inverseStd: inverseStd,
      weight: weight, bias: noBias.pointer, slope: 1, usesBatchStatistics: usesBatchStatistics,
      dInput: dInput, dWeight: dWeight, dBias: dBias, scratch: scratch.pointer)
  }
}
