import CSKD
import SKDFewShot
import SKDNN
import SKDRuntime

@c @implementation
public func skd_available_memory() -> Int64 { Int64(MachineMemory.availableBytes()) }

@c @implementation
public func skd_live_memory() -> Int64 { Int64(liveBufferBytes) }

@c @implementation
public func skd_watch_mapping(_ start: UnsafeRawPointer!, _ length: Int64) -> skd_status {
  status("watch_mapping") { arguments in
    FileMappings.watch(
      try arguments.pointer(start, "start"),
      length: try arguments.size(length, "length", in: 0...(1 << 47)))
  }
}

@c @implementation
public func skd_unwatch_mapping(_ start: UnsafeRawPointer!) {
  if let start { FileMappings.unwatch(start) }
}

@c @implementation
public func skd_mapping_is_damaged(_ start: UnsafeRawPointer!) -> Int32 {
  guard let start else { return 0 }
  return FileMappings.isDamaged(start) ? 1 : 0
}

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

@c @implementation
public func skd_trainer_step_memory(
  _ trainer: OpaquePointer!, _ batch: Int64, _ side: Int64,
  _ bytes: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("trainer_step_memory") { arguments in
    let trainer = try TrainerHandle.from(trainer, arguments).trainer
    let side = try arguments.side(side, of: trainer.network)
    let batch = try arguments.batch(batch, of: trainer.network, minimum: 1, side: side)
    let bytes = try arguments.pointer(bytes, "bytes")
    bytes.pointee = Int64(try trainer.stepMemory(batch: batch, side: side))
  }
}

@c @implementation
public func skd_trainer_require_memory(
  _ trainer: OpaquePointer!, _ batch: Int64, _ side: Int64, _ further_bytes: Int64
) -> skd_status {
  status("trainer_require_memory") { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    let side = try arguments.side(side, of: handle.trainer.network)
    let batch = try arguments.batch(batch, of: handle.trainer.network, minimum: 1, side: side)
    let further = try arguments.furtherBytes(further_bytes)
    try handle.exclusively {
      try $0.requireStepMemory(batch: batch, side: side, furtherBytes: further)
    }
  }
}

extension Arguments {
  fileprivate func furtherBytes(_ bytes: Int64) throws -> Int {
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
