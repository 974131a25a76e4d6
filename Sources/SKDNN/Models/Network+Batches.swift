import SKDKernels

extension Network {
  /// Images evaluated at a time, which bounds the memory of any batch.
  public static let evaluationBatch = 64

  /// Evaluates any number of images, a bounded number at a time.
  ///
  /// - Parameters:
  ///   - images: `batch` normalised images of the network's extent.
  ///   - embeddings: `[batch, embeddingDimension]`, or nil; likewise the logits of the class and
  ///     of the rotation.
  /// - Throws: `SKDError.outOfMemory`; the outputs are then partly written.
  public func evaluate(
    images: UnsafePointer<Float>, batch: Int, embeddings: UnsafeMutablePointer<Float>?,
    logits: UnsafeMutablePointer<Float>?, rotationLogits: UnsafeMutablePointer<Float>?
  ) throws {
    try forEachBatch(images, batch: batch) { first, tensor in
      guard logits != nil || rotationLogits != nil else {
        return copy(try embed(tensor), to: embeddings, first: first)
      }
      let output = try evaluate(tensor)
      copy(output.embedding, to: embeddings, first: first)
      copy(output.logits, to: logits, first: first)
      if let rotation = output.rotationLogits { copy(rotation, to: rotationLogits, first: first) }
    }
  }

  /// The output of one stage for any number of images, a bounded number at a time.
  public func evaluate(
    images: UnsafePointer<Float>, batch: Int, stage: Int, into output: UnsafeMutablePointer<Float>
  ) throws {
    try forEachBatch(images, batch: batch) { first, tensor in
      _ = try embed(tensor) { number, features in
        if number == stage { copy(features, to: output, first: first) }
      }
    }
  }

  private func forEachBatch(
    _ images: UnsafePointer<Float>, batch: Int,
    _ body: (_ first: Int, _ tensor: Tensor) throws -> Void
  ) throws {
    for first in stride(from: 0, to: batch, by: Self.evaluationBatch) {
      let shape = imageShape(batch: min(Self.evaluationBatch, batch - first))
      let tensor = try pool.tensor(shape)
      pool.compute {
        tensor.pointer.update(
          from: images + first * (shape.count / shape.batch), count: shape.count)
      }
      try body(first, tensor)
    }
  }

  private func copy(_ tensor: Tensor, to rows: UnsafeMutablePointer<Float>?, first: Int) {
    guard let rows else { return }
    (rows + first * (tensor.count / tensor.shape.batch)).update(
      from: tensor.pointer, count: tensor.count)
  }
}
