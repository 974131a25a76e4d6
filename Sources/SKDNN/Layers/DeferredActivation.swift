import SKDKernels

/// A tensor as the next layer reads it: normalised and activated on the way, if a batch norm has
/// left that to its reader.
struct DeferredActivation {
  let tensor: Tensor
  let normalization: ChannelNormalization?

  init(_ tensor: Tensor, normalization: ChannelNormalization? = nil) {
    (self.tensor, self.normalization) = (tensor, normalization)
  }

  /// The values themselves, written out if they are not.
  func values(_ pool: BufferPool) throws -> Tensor {
    guard let normalization else { return tensor }
    let values = try pool.tensor(tensor.shape)
    pool.compute {
      batchNormForward(
        tensor.pointer, rows: tensor.shape.rows, channels: tensor.shape.channels, normalization,
        output: values.pointer)
    }
    return values
  }
}

/// The sums that one layer takes for the batch norm beside it, in memory of a pool: the moments of a
/// convolution's output, or the gradient sums of the norm's parameters.
struct PooledChannelSums {
  private let memory: Tensor
  let records: ChannelSumRecords

  init(groups: Int, channels: Int, _ pool: BufferPool) throws {
    memory = try pool.scratch(ChannelSumRecords.count(groups: groups, channels: channels))
    records = ChannelSumRecords(memory.pointer, groups: groups, channels: channels)
  }
}
