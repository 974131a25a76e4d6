import SKDKernels
import SKDRuntime

extension Augmentation {
  /// Gathers, augments, resizes and normalises a batch.
  ///
  ///     output[b] = (resized(augmented(images[indices[b]])) / 255 - mean) / std
  ///
  /// The crop is resized before its colours change, which costs least.
  ///
  /// - Parameters:
  ///   - images: `[any, side, side, channels]`.
  ///   - indices: `batch` positions in `images`; nil for `0..<batch`.
  ///   - streams: `batch` numbers in `0..<2^32` that address the random choices; nil for `indices`.
  ///   - mean: `channels` values on the 0...1 scale.
  ///   - std: Likewise, positive.
  ///   - outputSide: Height and width of the result in pixels, >= 1; nil for `side`.
  ///   - output: `[batch, outputSide, outputSide, channels]`; overwritten.
  /// - Throws: `SKDError.outOfMemory`, before anything is written.
  /// - Complexity: O(batch · side² · channels); allocates a few images.
  public func apply(
    to images: UnsafePointer<UInt8>, side: Int, channels: Int, indices: UnsafePointer<Int64>?,
    streams: UnsafePointer<Int64>?, batch: Int, mean: UnsafePointer<Float>,
    std: UnsafePointer<Float>, outputSide: Int? = nil, into output: UnsafeMutablePointer<Float>
  ) throws {
    let outputSide = outputSide ?? side
    let (imageSize, outputSize) = (side * side * channels, outputSide * outputSide * channels)
    let isParallel = batch * imageSize >= Self.parallelThreshold
    // Scratch belongs to a share, not to a worker: the number of threads may change meanwhile.
    let shares = isParallel ? min(batch, 4 * WorkerPool.shared.threadCount) : 1
    let filter = outputSide == side ? nil : ResizeFilter(inputs: side, outputs: outputSide)
    let resizedSize = filter == nil ? 0 : side * outputSide * channels + outputSize
    let scratch = try AlignedBuffer<UInt8>(count: shares * (imageSize + resizedSize))
    let normalization = PixelNormalization(mean: mean, std: std, channels: channels)

    WorkerPool.shared.forEach(shares) { share, _ in
      let cropped = scratch.pointer + share * (imageSize + resizedSize)
      let resized = cropped + imageSize
      for b in share * batch / shares..<(share + 1) * batch / shares {
        let index = indices.map { Int($0[b]) } ?? b
        var pixels = images + index * imageSize
        let choices =
          mode == .none ? nil : choices(stream: streams.map { Int($0[b]) } ?? index)
        if let choices {
          choices.crop(pixels, side: side, channels: channels, padding: padding, into: cropped)
          pixels = UnsafePointer(cropped)
        }
        if let filter {
          resizeImage(
            pixels, filter: filter, channels: channels, scratch: resized + outputSize,
            into: resized)
          pixels = UnsafePointer(resized)
        }
        let target = output + b * outputSize
        if let choices, !choices.operations.isEmpty {
          precondition(channels == 3)
          adjustColorsAndNormalize(
            filter == nil ? cropped : resized, pixelCount: outputSide * outputSide,
            operations: choices.operations, normalization: normalization, into: target)
        } else {
          normalizePixels(pixels, count: outputSize, normalization: normalization, into: target)
        }
      }
    }
  }

  /// In bytes. A training batch stays below, so that a loader thread never takes the workers from
  /// the training step.
  private static var parallelThreshold: Int { 1 << 23 }
}
