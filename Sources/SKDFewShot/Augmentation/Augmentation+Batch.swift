import SKDKernels
import SKDRuntime

extension Augmentation {
  /// Gathers, augments and normalises a batch.
  ///
  ///     output[b] = (augmented(images[indices[b]]) / 255 - mean) / std
  ///
  /// - Parameters:
  ///   - images: `[any, side, side, channels]`.
  ///   - indices: `batch` positions in `images`; nil for `0..<batch`.
  ///   - streams: `batch` numbers in `0..<2^32` that address the random choices; nil for `indices`.
  ///   - mean: `channels` values on the 0...1 scale.
  ///   - std: Likewise, positive.
  ///   - output: `[batch, side, side, channels]`; overwritten.
  /// - Throws: `SKDError.outOfMemory`, before anything is written.
  /// - Complexity: O(batch · side² · channels); allocates a few images.
  public func apply(
    to images: UnsafePointer<UInt8>, side: Int, channels: Int, indices: UnsafePointer<Int64>?,
    streams: UnsafePointer<Int64>?, batch: Int, mean: UnsafePointer<Float>,
    std: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) throws {
    let imageSize = side * side * channels
    let isParallel = batch * imageSize >= Self.parallelThreshold
    // Scratch belongs to a share, not to a worker: the number of threads may change meanwhile.
    let shares = isParallel ? min(batch, 4 * WorkerPool.shared.threadCount) : 1
    let scratch = try AlignedBuffer<UInt8>(count: mode == .none ? 0 : shares * imageSize)
    let normalization = PixelNormalization(mean: mean, std: std, channels: channels)

    WorkerPool.shared.forEach(shares) { share, _ in
      for b in share * batch / shares..<(share + 1) * batch / shares {
        let index = indices.map { Int($0[b]) } ?? b
        let image = images + index * imageSize
        if mode == .none {
          normalizePixels(
            image, count: imageSize, normalization: normalization, into: output + b * imageSize)
        } else {
          choices(stream: streams.map { Int($0[b]) } ?? index).apply(
            to: image, side: side, channels: channels, padding: padding,
            normalization: normalization, scratch: scratch.pointer + share * imageSize,
            into: output + b * imageSize)
        }
      }
    }
  }

  /// In bytes. A training batch stays below, so that a loader thread never takes the workers from
  /// the training step.
  private static var parallelThreshold: Int { 1 << 23 }
}
