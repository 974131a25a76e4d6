import CSKD
import SKDFewShot
import SKDNN
import SKDRuntime

@c @implementation
public func skd_trainer_step(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ options: UnsafePointer<skd_step_options>!,
  _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(trainer, images, labels, batch, options, losses, "trainer_step", Trainer.step)
}

@c @implementation
public func skd_trainer_loss(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ options: UnsafePointer<skd_step_options>!,
  _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(trainer, images, labels, batch, options, losses, "trainer_loss", Trainer.loss)
}

/// `Trainer.step` or `Trainer.loss`.
private typealias TrainerCall = (Trainer) -> (
  _ images: UnsafePointer<Float>, _ labels: UnsafePointer<Int64>?, _ batch: Int, _ side: Int?,
  _ terms: [LossTerm], _ share: BatchShard?
) throws -> Losses

private func train(
  _ trainer: OpaquePointer?, _ images: UnsafePointer<Float>?, _ labels: UnsafePointer<Int64>?,
  _ batch: Int64, _ options: UnsafePointer<skd_step_options>?,
  _ losses: UnsafeMutablePointer<skd_losses>?, _ function: String,
  _ call: TrainerCall
) -> skd_status {
  status(function) { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    let result = try arguments.pointer(losses, "losses")
    let network = handle.trainer.network
    let options = options?.pointee ?? skd_step_options()
    let side = try arguments.side(options.side, of: network)
    let (images, batch) = try checkedImages(
      images, batch, of: network, arguments, minimum: 1, side: side)
    if let labels {
      try arguments.labels(labels, count: batch, classes: network.configuration.classCount)
    }
    let terms = try lossTerms(options.terms, options.term_count, arguments)
    let share = try options.share.map { try BatchShard($0.pointee, images: batch, arguments) }
    result.pointee = skd_losses(
      try handle.exclusively { trainer in
        try trainer.requireStepMemory(batch: batch, side: side)
        return try call(trainer)(images, labels, batch, side, terms, share)
      })
  }
}

extension skd_losses {
  init(_ terms: Losses) {
    self.init(
      total: terms.total, cross_entropy: terms.crossEntropy, rotation: terms.rotation,
      distillation: terms.distillation, twin: terms.twin, accuracy: terms.accuracy,
      rotation_accuracy: terms.rotationAccuracy)
  }
}

// MARK: Memory

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
