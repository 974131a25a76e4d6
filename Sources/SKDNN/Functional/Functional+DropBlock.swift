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
    var scale: Float = 0
    try OperationMemory.lend([(shape.count + 3) / 4], for: "DropBlock") { memory in
      let kept = UnsafeMutableRawPointer(memory[0]).assumingMemoryBound(to: UInt8.self)
      let keptCount = dropBlockMask(
        corners: corners, shape: shape, blockSize: blockSize, kept: kept)
      scale = dropBlockScale(count: shape.count, keptCount: keptCount)
      dropBlockApply(input, kept: kept, scale: scale, count: shape.count, output: output)
    }
    return scale
  }
}
