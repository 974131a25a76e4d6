import SKDKernels
import SKDRuntime

/// Batch normalisation over all positions of a batch, optionally followed by LeakyReLU.
///
/// If several processes share a batch, the statistics can be taken over the whole batch; the shard
/// decides.
final class BatchNormLayer {
  private let weight: StateEntry
  private let bias: StateEntry
  private let runningMean: StateEntry
  private let runningVariance: StateEntry
  private let batchesTracked: StateEntry
  private let channels: Int
  private let momentum: Float
  private let slope: Float
  private let statistics: AlignedBuffer<Float>  // mean, variance, 1 / standard deviation
  private var input: Tensor?
  /// Over which the statistics were taken.
  private var statisticsRows = 0

  /// Added to a variance before its root is taken.
  static let epsilon: Float = 1e-5

  /// - Parameter slope: Slope of the LeakyReLU that follows; 0 for ReLU, 1 for none.
  init(
    _ name: String, in store: ParameterStore, channels: Int, slope: Float = 1,
    momentum: Float = 0.1
  ) throws {
    weight = store.vector("\(name).weight", count: channels, initializer: .constant(1))
    bias = store.vector("\(name).bias", count: channels, initializer: .constant(0))
    runningMean = store.buffer("\(name).running_mean", count: channels, initial: 0)
    runningVariance = store.buffer("\(name).running_var", count: channels, initial: 1)
    batchesTracked = store.counter("\(name).num_batches_tracked")
    statistics = try AlignedBuffer(count: 3 * channels, ledger: store.ledger)
    (self.channels, self.momentum, self.slope) = (channels, momentum, slope)
  }

  private var mean: UnsafeMutablePointer<Float> { statistics.pointer }
  private var variance: UnsafeMutablePointer<Float> { statistics.pointer + channels }
  private var inverseStd: UnsafeMutablePointer<Float> { statistics.pointer + 2 * channels }

  // MARK: Training

  /// With the statistics of the last forward pass.
  private var normalization: ChannelNormalization {
    ChannelNormalization(
      mean: mean, inverseStd: inverseStd, weight: weight.values, bias: bias.values, slope: slope)
  }

  /// Takes the statistics of a batch, and leaves the normalising to whoever reads the result. The
  /// running statistics wait for `commitStatistics`, so that a step that fails changes nothing.
  ///
  /// - Parameter moments: Moments of `input`.
  /// - Throws: `SKDError.invalidArgument` if there is only one value per channel.
  func forward(_ input: Tensor, moments: PooledChannelSums, _ context: TrainingContext) throws
    -> DeferredActivation
  {
    let share = context.batchNormShare
    let rows = share?.wholeCount(input.shape.rows) ?? input.shape.rows
    try require(
      rows >= 2, "input", of: "BatchNormLayer", "have at least 2 values per channel",
      got: "\(rows)")
    statisticsRows = rows
    try context.pool.compute {
      if let share {
        var sums = [Double](repeating: 0, count: 2 * channels)
        sumMoments(moments.records, of: input.pointer, rows: input.shape.rows, sums: &sums)
        try share.sum(&sums)
        batchNormStatistics(
          ofSums: sums, rows: rows, channels: channels, mean: mean, variance: variance)
      } else {
        mergeMoments(
          moments.records, of: input.pointer, rows: input.shape.rows, mean: mean,
          variance: variance)
      }
      inverseStandardDeviation(
        variance: variance, channels: channels, eps: Self.epsilon, inverseStd: inverseStd)
    }
    self.input = input
    return DeferredActivation(input, normalization: normalization)
  }

  /// Normalises with the statistics of the batch.
  ///
  /// - Throws: As the other.
  func forward(_ input: Tensor, _ context: TrainingContext) throws -> Tensor {
    let moments = try PooledChannelSums(
      groups: batchNormGroups(rows: input.shape.rows, channels: channels), channels: channels,
      context.pool)
    context.pool.compute {
      batchNormMoments(input.pointer, rows: input.shape.rows, records: moments.records)
    }
    return try forward(input, moments: moments, context).values(context.pool)
  }

  /// Work on the gradient of this layer's output on its way to `input`, for the layer that reads the
  /// output. The gradient's sums go to `sums`.
  func gradientUse(_ sums: PooledChannelSums) -> InputGradientUse {
    guard let input else { preconditionFailure("backward before forward") }
    return .throughNorm(of: input.pointer, normalization, records: sums.records)
  }

  /// Turns the gradient before the activation, whose sums are known, into the gradient of the
  /// input.
  ///
  /// - Parameters:
  ///   - dInput: Overwritten; may be `gradient`.
  ///   - isMasked: False if `gradient` is the gradient after the activation.
  func backward(
    _ gradient: Tensor, sums: PooledChannelSums, into dInput: Tensor, isMasked: Bool = true,
    _ context: TrainingContext
  ) throws {
    guard let input else { preconditionFailure("backward before forward") }
    self.input = nil
    context.pool.compute {
      mergeGradientSums(
        sums.records, inverseStd: inverseStd, dWeight: weight.gradient, dBias: bias.gradient)
    }
    let whole = try wholeGradients(sums, context)
    context.pool.compute {
      batchNormInputGradient(
        input.pointer, gradient.pointer, rows: input.shape.rows, channels: channels, normalization,
        isMasked: isMasked, statisticsRows: statisticsRows,
        dWeight: whole?.pointer ?? weight.gradient,
        dBias: whole.map { $0.pointer + channels } ?? bias.gradient, dInput: dInput.pointer)
    }
    weight.hasGradient = true
    bias.hasGradient = true
  }

  /// Gradients of weight and bias over the whole batch, on which the gradient of the input depends;
  /// nil if the statistics are computed over this process's images only.
  private func wholeGradients(_ sums: PooledChannelSums, _ context: TrainingContext) throws
    -> Tensor?
  {
    guard let share = context.batchNormShare else { return nil }
    var values = [Double](repeating: 0, count: 2 * channels)
    sumGradients(sums.records, sums: &values)
    try share.sum(&values)
    let whole = try context.pool.scratch(2 * channels)
    batchNormGradients(
      ofSums: values, channels: channels, inverseStd: inverseStd, dWeight: whole.pointer,
      dBias: whole.pointer + channels)
    return whole
  }

  /// Turns the gradient of the output into the gradient of the input, in place.
  func backward(_ gradient: Tensor, _ context: TrainingContext) throws {
    guard let input else { preconditionFailure("backward before forward") }
    let rows = input.shape.rows
    let sums = try PooledChannelSums(
      groups: batchNormGroups(rows: rows, channels: channels), channels: channels, context.pool)
    context.pool.compute {
      batchNormGradientSums(
        input.pointer, gradient.pointer, rows: rows, normalization, records: sums.records)
    }
    try backward(gradient, sums: sums, into: gradient, isMasked: false, context)
  }

  /// Takes the statistics of the last forward pass into the running ones.
  func commitStatistics() {
    updateRunningStatistics(
      mean: mean, variance: variance, rows: statisticsRows, channels: channels, momentum: momentum,
      runningMean: runningMean.values, runningVariance: runningVariance.values)
    batchesTracked.counter.pointee += 1
  }

  // MARK: Evaluation

  /// Normalisation of a channel with running statistics: `scale * x + shift`.
  func scaleAndShift(of channel: Int) -> (scale: Float, shift: Float) {
    let scale =
      weight.values[channel]
      / (runningVariance.values[channel] + Self.epsilon).squareRoot()
    return (scale, bias.values[channel] - scale * runningMean.values[channel])
  }

  /// Normalises with the running statistics. Does not touch the values that the backward pass
  /// reads.
  func evaluate(_ input: Tensor, _ pool: BufferPool) throws -> Tensor {
    let inverseStd = try pool.scratch(channels)
    let output = try pool.tensor(input.shape)
    pool.compute {
      inverseStandardDeviation(
        variance: runningVariance.values, channels: channels, eps: Self.epsilon,
        inverseStd: inverseStd.pointer)
      batchNormForward(
        input.pointer, rows: input.shape.rows, channels: channels, mean: runningMean.values,
        inverseStd: inverseStd.pointer, weight: weight.values, bias: bias.values, slope: slope,
        output: output.pointer)
    }
    return output
  }
}
