import CSKD
import SKDNN
import SKDRuntime

@c @implementation
public func skd_model_evaluate(
  _ model: OpaquePointer!, _ images: UnsafePointer<Float>!, _ batch: Int64,
  _ embeddings: UnsafeMutablePointer<Float>!, _ logits: UnsafeMutablePointer<Float>!,
  _ rotation: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("model_evaluate") { arguments in
    let handle = ModelHandle.from(try arguments.pointer(model, "model"))
    try arguments.require(
      rotation == nil || handle.network.configuration.hasRotationHead, "rotation",
      "be NULL for a model without a rotation head")
    let (images, batch) = try checkedImages(images, batch, of: handle.network, arguments)
    try handle.exclusively {
      try $0.requireEvaluationMemory(batch: batch)
      try $0.evaluate(
        images: images, batch: batch, embeddings: embeddings, logits: logits,
        rotationLogits: rotation)
    }
  }
}

@c @implementation
public func skd_model_stage_shape(
  _ model: OpaquePointer!, _ batch: Int64, _ stage: Int64,
  _ shape: UnsafeMutablePointer<skd_image_shape>!
) -> skd_status {
  status("model_stage_shape") { arguments in
    let network = ModelHandle.from(try arguments.pointer(model, "model")).network
    let shape = try arguments.pointer(shape, "shape")
    let stage = try arguments.size(stage, "stage", in: 0...network.stageCount - 1)
    let batch = try arguments.size(batch, "batch", in: 0...Arguments.maximumExtent)
    let result = network.stageShape(stage, batch: batch)
    shape.pointee = skd_image_shape(
      batch: Int64(result.batch), height: Int64(result.height), width: Int64(result.width),
      channels: Int64(result.channels))
  }
}

@c @implementation
public func skd_model_stage_output(
  _ model: OpaquePointer!, _ images: UnsafePointer<Float>!, _ batch: Int64, _ stage: Int64,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("model_stage_output") { arguments in
    let handle = ModelHandle.from(try arguments.pointer(model, "model"))
    let stage = try arguments.size(stage, "stage", in: 0...handle.network.stageCount - 1)
    let output = try arguments.pointer(output, "output")
    let (images, batch) = try checkedImages(images, batch, of: handle.network, arguments)
    try handle.exclusively {
      try $0.requireEvaluationMemory(batch: batch)
      try $0.evaluate(images: images, batch: batch, stage: stage, into: output)
    }
  }
}

/// Finite images of a network, `minimum` of them or more.
///
/// - Parameter side: Side of the images in pixels; nil for the network's image size.
func checkedImages(
  _ images: UnsafePointer<Float>?, _ batch: Int64, of network: Network, _ arguments: Arguments,
  minimum: Int = 0, side: Int? = nil
) throws -> (UnsafePointer<Float>, Int) {
  let images = try arguments.pointer(images, "images")
  let batch = try arguments.batch(batch, of: network, minimum: minimum, side: side)
  let count = network.imageShape(batch: batch, side: side).count
  try arguments.finite(images, count: count, "images")
  return (images, batch)
}

@c @implementation
public func skd_evaluation_batch() -> Int64 { Int64(Network.evaluationBatch) }

// MARK: Memory

@c @implementation
public func skd_model_evaluation_memory(
  _ model: OpaquePointer!, _ batch: Int64, _ bytes: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("model_evaluation_memory") { arguments in
    let network = ModelHandle.from(try arguments.pointer(model, "model")).network
    let batch = try arguments.batch(batch, of: network, minimum: 0)
    let bytes = try arguments.pointer(bytes, "bytes")
    bytes.pointee = Int64(try network.evaluationMemory(batch: batch))
  }
}

@c @implementation
public func skd_model_require_memory(
  _ model: OpaquePointer!, _ batch: Int64, _ further_bytes: Int64
) -> skd_status {
  status("model_require_memory") { arguments in
    let handle = ModelHandle.from(try arguments.pointer(model, "model"))
    let batch = try arguments.batch(batch, of: handle.network, minimum: 0)
    let further = try arguments.furtherBytes(further_bytes)
    try handle.exclusively {
      try $0.requireEvaluationMemory(batch: batch, furtherBytes: further)
    }
  }
}

extension Arguments {
  func furtherBytes(_ bytes: Int64) throws -> Int {
    try size(bytes, "further_bytes", in: 0...(1 << 60))
  }

  /// A number of a network's images that stays below 2^40 values.
  ///
  /// - Parameter side: Side of the images in pixels; nil for the network's image size.
  func batch(_ batch: Int64, of network: Network, minimum: Int, side: Int? = nil) throws -> Int {
    let batch = try size(batch, "batch", in: minimum...Self.maximumExtent)
    let shape = network.imageShape(batch: batch, side: side)
    _ = try count(batch, shape.height, shape.width, shape.channels, of: "images")
    return batch
  }

  /// The side of a training step's images in pixels, or nil if it is 0.
  func side(_ side: Int64, of network: Network) throws -> Int? {
    if side == 0 { return nil }
    let smallest = network.configuration.architecture.minimumImageSize
    return try size(side, "side", in: smallest...NetworkConfiguration.maximumImageSize)
  }
}
