import SKDKernels
import SKDRuntime

extension Functional {
  /// Zeroes a square of `blockSize` below and right of each corner and scales the rest.
  ///
  /// - Returns: The scale, entries / kept entries.
  public static func dropBlock(
    _ input: UnsafePointer<Float>, corners: UnsafePointer<UInt8>, shape: ImageShape,
    blockSize: Int, output: UnsafeMutablePointer<Float>
  ) throws -> Float {
    let kept = try AlignedBuffer<UInt8>(count: shape.count)
    let keptCount = dropBlockMask(
      corners: corners, shape: shape, blockSize: blockSize, kept: kept.pointer)
    let scale = dropBlockScale(count: shape.count, keptCount: keptCount)
    dropBlockApply(input, kept: kept.pointer, scale: scale, count: shape.count, output: output)
    return scale
  }
}
