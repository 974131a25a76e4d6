import SKDKernels

/// The random choices of one image's augmentation: pad with zeros, crop, change the colours in
/// order, flip.
public struct AugmentationChoices: Sendable, Equatable {
  /// Origin of the crop in the padded image, `0...2 * padding`.
  public var top: Int
  public var left: Int
  /// Whether the image is mirrored left to right.
  public var isFlipped: Bool
  /// In the order in which they are applied; images of three channels only.
  public var operations: ColorOperations

  public init(top: Int, left: Int, isFlipped: Bool, operations: ColorOperations = []) {
    self.top = top
    self.left = left
    self.isFlipped = isFlipped
    self.operations = operations
  }

  /// Augments one image as torchvision does on a PIL image, bit for bit.
  ///
  /// - Parameters:
  ///   - image: `[side, side, channels]`.
  ///   - padding: Zeros on each side, >= 0.
  ///   - output: Same extent; overwritten. Must not overlap `image`.
  /// - Complexity: O(side² · channels); allocates nothing.
  public func apply(
    to image: UnsafePointer<UInt8>, side: Int, channels: Int, padding: Int,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    crop(image, side: side, channels: channels, padding: padding, into: output)
    if operations.isEmpty { return }
    precondition(channels == 3)
    adjustColors(output, pixelCount: side * side, operations: operations)
  }

  /// Crops one image and flips it. The flip commutes with the colour operations, because the mean
  /// luma does not see it.
  ///
  /// - Parameters:
  ///   - image: `[side, side, channels]`.
  ///   - padding: Zeros on each side, >= 0.
  ///   - output: Same extent; overwritten. Must not overlap `image`.
  func crop(
    _ image: UnsafePointer<UInt8>, side: Int, channels: Int, padding: Int,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    cropImage(
      image, side: side, channels: channels, rowOffset: top - padding,
      columnOffset: left - padding, isFlipped: isFlipped, into: output)
  }
}
