import SKDKernels
import SKDNN
import SKDRuntime

/// The sums of a training step over the processes that share its batch, besides the sums of its
/// layers.
extension Trainer {
  /// The means over the whole batch, from losses that are means over this shard.
  func whole(_ own: Losses, _ share: BatchShard) throws -> Losses {
    let terms: [WritableKeyPath<Losses, Float>] = [
      \.total, \.crossEntropy, \.rotation, \.distillation, \.twin, \.accuracy, \.rotationAccuracy,
    ]
    var sums = terms.map { Double(own[keyPath: $0]) * Double(share.images) }
    try share.sum(&sums)
    var losses = Losses()
    for (term, sum) in zip(terms, sums) { losses[keyPath: term] = Float(sum / Double(share.total)) }
    return losses
  }

  /// Like `add`, for a shard of a batch; the total gets the mean over the whole batch.
  ///
  /// - Throws: In all processes if in one of them.
  func addTogether(
    _ terms: [LossTerm], of output: NetworkOutput, images: Int, labels: UnsafePointer<Int64>?,
    to losses: inout Losses, dLogits: Tensor, _ share: BatchShard
  ) throws -> Tensor? {
    var own = Losses()
    let outcome = Result {
      try add(terms, of: output, images: images, labels: labels, to: &own, dLogits: dLogits)
    }
    var (failures, value) = (0.0, Double(own.total) * Double(share.images))
    if case .failure = outcome { (failures, value) = (1, 0) }
    var sums = [value, failures]
    try share.sum(&sums)
    let dEmbedding = try outcome.get()
    if sums[1] > 0 {
      throw SKDError.callbackFailed(
        "terms of step \(stepCount + 1) must succeed in every process; they failed "
          + "elsewhere; nothing was updated")
    }
    losses.total += Float(sums[0] / Double(share.total))
    return dEmbedding
  }

  /// Rescales gradients of the mean over this shard to gradients of the mean over the whole batch.
  func scale(_ gradients: [Tensor?], _ share: BatchShard) {
    for case let tensor? in gradients {
      scaleInPlace(tensor.pointer, by: share.fraction, count: tensor.count)
    }
  }
}
