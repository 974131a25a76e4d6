import SKDKernels

/// The part of a batch that one of several processes trains on, and how it adds things up with the
/// others.
///
/// Batches are cut between images: each process has all views of its own. All make the same calls
/// with the same counts in the same order, because they execute the same steps.
public struct BatchShard {
  /// Own images.
  public let images: Int
  /// Position of the first of them in the whole batch.
  public let first: Int
  /// Images of the whole batch.
  public let total: Int
  /// Whether batch norms take their statistics over the whole batch, or over this shard only.
  public let syncsBatchNorm: Bool
  private let sum: (_ values: UnsafeMutablePointer<Double>, _ count: Int) throws -> Void
  let beginGradients: (_ gradients: UnsafeMutablePointer<Float>, _ count: Int) throws -> Void
  let awaitGradients: () throws -> Void

  /// - Parameters:
  ///   - sum: Replaces each value by its sum over all processes.
  ///   - beginGradients: Begins to do so with gradients, which stay untouched until it is done.
  ///   - awaitGradients: Returns when all that has begun is done.
  public init(
    images: Int, first: Int, total: Int, syncsBatchNorm: Bool,
    sum: @escaping (_ values: UnsafeMutablePointer<Double>, _ count: Int) throws -> Void,
    beginGradients:
      @escaping (_ gradients: UnsafeMutablePointer<Float>, _ count: Int) throws ->
      Void,
    awaitGradients: @escaping () throws -> Void
  ) {
    precondition(images >= 1 && first >= 0 && first + images <= total)
    (self.images, self.first, self.total) = (images, first, total)
    (self.syncsBatchNorm, self.sum) = (syncsBatchNorm, sum)
    (self.beginGradients, self.awaitGradients) = (beginGradients, awaitGradients)
  }

  /// This shard's contribution to a mean over the whole batch.
  public var fraction: Float { Float(images) / Float(total) }

  /// Replaces each value by its sum over all processes.
  public func sum(_ values: inout [Double]) throws {
    try values.withUnsafeMutableBufferPointer { values in
      guard let pointer = values.baseAddress else { return }
      try sum(pointer, values.count)
    }
  }

  /// Scales a count over this shard's images to the whole batch.
  func wholeCount(_ count: Int) -> Int { count / images * total }
}

/// Rows of images that lie together in the whole batch.
struct BatchRun {
  let rows: Range<Int>
  /// Position of the first of them in the whole batch.
  let first: Int
}

extension BatchShard {
  /// Positions in the whole batch of the images of all views: this shard's lie together in each view.
  func runs(of rows: Int) -> [BatchRun] {
    (0..<rows / images).map {
      BatchRun(rows: $0 * images..<($0 + 1) * images, first: $0 * total + first)
    }
  }
}
