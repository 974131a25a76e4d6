import CSKD
import SKDFewShot
import SKDNN
import SKDRuntime

@c @implementation
public func skd_trainer_step(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(takeStep, trainer, images, labels, batch, nil, 0, nil, losses, "trainer_step")
}

@c @implementation
public func skd_trainer_loss(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(computeLoss, trainer, images, labels, batch, nil, 0, nil, losses, "trainer_loss")
}

@c @implementation
public func skd_trainer_step_with_terms(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ terms: UnsafePointer<skd_term>!, _ term_count: Int64,
  _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(
    takeStep, trainer, images, labels, batch, terms, term_count, nil, losses,
    "trainer_step_with_terms")
}

@c @implementation
public func skd_trainer_loss_with_terms(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ terms: UnsafePointer<skd_term>!, _ term_count: Int64,
  _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(
    computeLoss, trainer, images, labels, batch, terms, term_count, nil, losses,
    "trainer_loss_with_terms")
}

@c @implementation
public func skd_trainer_step_with_share(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ terms: UnsafePointer<skd_term>!, _ term_count: Int64,
  _ share: UnsafePointer<skd_batch_share>!, _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(
    takeStep, trainer, images, labels, batch, terms, term_count, share, losses,
    "trainer_step_with_share")
}

@c @implementation
public func skd_trainer_loss_with_share(
  _ trainer: OpaquePointer!, _ images: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!,
  _ batch: Int64, _ terms: UnsafePointer<skd_term>!, _ term_count: Int64,
  _ share: UnsafePointer<skd_batch_share>!, _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  train(
    computeLoss, trainer, images, labels, batch, terms, term_count, share, losses,
    "trainer_loss_with_share")
}

private typealias TrainerCall =
  @Sendable (
    Trainer, UnsafePointer<Float>, UnsafePointer<Int64>?, Int, [LossTerm], BatchShare?
  ) throws -> Losses

private let takeStep: TrainerCall = {
  try $0.step(images: $1, labels: $2, batch: $3, terms: $4, share: $5)
}

private let computeLoss: TrainerCall = {
  try $0.loss(images: $1, labels: $2, batch: $3, terms: $4, share: $5)
}

private func train(
  _ call: TrainerCall, _ trainer: OpaquePointer?, _ images: UnsafePointer<Float>?,
  _ labels: UnsafePointer<Int64>?, _ batch: Int64,
  _ terms: UnsafePointer<skd_term>?, _ termCount: Int64,
  _ share: UnsafePointer<skd_batch_share>?, _ losses: UnsafeMutablePointer<skd_losses>?,
  _ function: String
) -> skd_status {
  status {
    let arguments = Arguments(function)
    let handle = try TrainerHandle.from(trainer, arguments)
    let result = try arguments.pointer(losses, "losses")
    let network = handle.trainer.network
    let (images, batch) = try checkedImages(images, batch, of: network, arguments, minimum: 1)
    if let labels {
      try arguments.labels(labels, count: batch, classes: network.configuration.classCount)
    }
    let terms = try lossTerms(terms, termCount, arguments)
    let share = try share.map { try BatchShare($0.pointee, images: batch, arguments) }
    result.pointee = skd_losses(
      try handle.exclusively { trainer in
        try trainer.requireStepMemory(batch: batch)
        return try call(trainer, images, labels, batch, terms, share)
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
