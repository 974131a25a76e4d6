extension Conv2DGeometry {
  /// Reorders weights from `[output][input][kernel row][kernel column]`, as PyTorch keeps them, to
  /// the storage order of `Conv2D`.
  ///
  ///     storage[y, x, i, o] = weight[o, i, y, x]
  ///
  /// Writes (`=`); operands must not overlap; allocates nothing.
  public func storeOIHW(
    _ weight: UnsafePointer<Float>, into storage: UnsafeMutablePointer<Float>
  ) {
    let (inputs, outputs, taps) = (input.channels, outputChannels, kernelSize * kernelSize)
    forEachChunk(of: inputs, size: chunkRows(rowElements: outputs * taps)) { start, end in
      for i in start..<end {
        for o in 0..<outputs {
          let source = weight + (o &* inputs &+ i) &* taps
          for tap in 0..<taps { storage[(tap &* inputs &+ i) &* outputs &+ o] = source[tap] }
        }
      }
    }
  }

  /// The inverse of `storeOIHW`, for weights and for their gradients.
  ///
  ///     weight[o, i, y, x] = storage[y, x, i, o]
  ///
  /// Writes (`=`); operands must not overlap; allocates nothing.
  public func loadOIHW(
    _ storage: UnsafePointer<Float>, into weight: UnsafeMutablePointer<Float>
  ) {
    let (inputs, outputs, taps) = (input.channels, outputChannels, kernelSize * kernelSize)
    forEachChunk(of: outputs, size: chunkRows(rowElements: inputs * taps)) { start, end in
      for o in start..<end {
        for i in 0..<inputs {
          let target = weight + (o &* inputs &+ i) &* taps
          for tap in 0..<taps { target[tap] = storage[(tap &* inputs &+ i) &* outputs &+ o] }
        }
      }
    }
  }
}
