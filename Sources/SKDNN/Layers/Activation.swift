import SKDKernels

/// A tensor as the next layer reads it: normalised and activated on the way, if a batch norm has
/// left that to its reader.
struct Activation {
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

/// Sums over groups of positions that one layer takes for the batch norm beside it: the moments of a
/// convolution's output, or what the gradients of the norm's parameters are made of.
struct ChannelRecords {
  let tensor: Tensor
  let groups: Int

  init(groups: Int, channels: Int, _ pool: BufferPool) throws {
    tensor = try pool.scratch(channelSumsCount(groups: groups, channels: channels))
    self.groups = groups
  }

  var pointer: UnsafeMutablePointer<Float> { tensor.pointer }
}
