/// Extent of a batch of images in NHWC order.
public struct ImageShape: Equatable, Sendable {
  public var batch: Int
  public var height: Int
  public var width: Int
  public var channels: Int

  public init(batch: Int, height: Int, width: Int, channels: Int) {
    self.batch = batch
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// Elements in all.
  @inlinable public var count: Int { batch * height * width * channels }
  /// Positions in all images: the rows of the batch seen as a matrix of `channels` columns.
  @inlinable public var rows: Int { batch * height * width }
  /// Extent after a 2x2 pool of stride 2, which ignores an odd last row or column.
  @inlinable public var pooled: ImageShape {
    ImageShape(batch: batch, height: height / 2, width: width / 2, channels: channels)
  }
}
