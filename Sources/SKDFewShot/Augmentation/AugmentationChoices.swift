import SKDKernels

/// A change of colour, on the scale where factor 1 changes nothing.
public enum ColorOperation: Sendable, Equatable {
  /// Blends with black.
  case brightness(Float)
  /// Blends with the image's mean luma.
  case contrast(Float)
  /// Blends with each pixel's own luma.
  case saturation(Float)
}

/// The random choices of one image's augmentation: pad with zeros, crop, change the colours in
/// order, flip.
public struct AugmentationChoices: Sendable, Equatable {
  /// Origin of the crop in the padded image, `0...2 * padding`.
  public var top: Int
  public var left: Int
  /// Whether the image is mirrored left to right.
  public var isFlipped: Bool
  /// In the order in which they are applied; images of three channels only.
  public var operations: [ColorOperation]

  public init(top: Int, left: Int, isFlipped: Bool, operations: [ColorOperation] = []) {
    self.top = top
    self.left = left
    self.isFlipped = isFlipped
    self.operations = operations
  }

  /// Augments one image as torchvision does on a PIL image, bit for bit.
  ///
  /// - Parameters:
  ///   - image: `[side, side, channels]`.
  ///   - padding: Zeros on each side, `0...side`.
  ///   - output: Same extent; overwritten. Must not overlap `image`.
  /// - Complexity: O(side² · channels); allocates nothing.
  public func apply(
    to image: UnsafePointer<UInt8>, side: Int, channels: Int, padding: Int,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    // The flip commutes with the colour operations, for the mean luma does not see it.
    cropImage(
      image, side: side, channels: channels, rowOffset: top - padding,
      columnOffset: left - padding, isFlipped: isFlipped, into: output)
    precondition(operations.isEmpty || channels == 3)
    let pixelCount = side * side
    for operation in operations {
      switch operation {
      case .brightness(let factor):
        adjustBrightness(output, byteCount: 3 * pixelCount, factor: factor)
      case .contrast(let factor):
        adjustContrast(output, pixelCount: pixelCount, factor: factor)
      case .saturation(let factor):
        adjustSaturation(output, pixelCount: pixelCount, factor: factor)
      }
    }
  }
}
