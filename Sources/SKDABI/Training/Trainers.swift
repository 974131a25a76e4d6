import CSKD
import SKDFewShot
import SKDNN
import SKDRuntime

/// The object behind a `skd_trainer *`.
final class TrainerHandle {
  let trainer: Trainer
  private let model: ModelHandle
  private let teacher: ModelHandle?

  init(_ trainer: Trainer, model: ModelHandle, teacher: ModelHandle?) {
    self.trainer = trainer
    self.model = model
    self.teacher = teacher
  }

  /// Runs `body` while no other call uses the models. Two are locked in order of address, so that
  /// trainers that share them cannot wait for each other.
  func exclusively<Result>(_ body: (Trainer) throws -> Result) throws -> Result {
    guard let teacher else { return try model.exclusively { _ in try body(trainer) } }
    let (first, second) = inOrder(model, teacher)
    return try first.exclusively { _ in try second.exclusively { _ in try body(trainer) } }
  }

  /// Keeps both models for this thread until `letGo`.
  func keep() throws {
    guard let teacher else { return try model.keep() }
    let (first, second) = inOrder(model, teacher)
    try first.keep()
    do {
      try second.keep()
    } catch {
      first.letGo()
      throw error
    }
  }

  func letGo() {
    model.letGo()
    teacher?.letGo()
  }

  private func inOrder(_ a: ModelHandle, _ b: ModelHandle) -> (ModelHandle, ModelHandle) {
    a.address < b.address ? (a, b) : (b, a)
  }

  /// Whether a thread of the parent process was using a model of this trainer when it forked.
  var isLost: Bool { model.isLost || teacher?.isLost == true }

  static func from(_ pointer: OpaquePointer?, _ arguments: Arguments) throws -> TrainerHandle {
    let pointer = try arguments.pointer(pointer, "trainer")
    return Unmanaged<TrainerHandle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }
}

@c @implementation
public func skd_trainer_create(
  _ model: OpaquePointer!, _ teacher: OpaquePointer!,
  _ config: UnsafePointer<skd_trainer_config>!, _ trainer: UnsafeMutablePointer<OpaquePointer?>!
) -> skd_status {
  status("trainer_create") { arguments in
    let model = ModelHandle.from(try arguments.pointer(model, "model"))
    let teacher = teacher.map { ModelHandle.from($0) }
    let config = try arguments.pointer(config, "config").pointee
    let result = try arguments.pointer(trainer, "trainer")
    let created = try Trainer(
      network: model.network, teacher: teacher?.network,
      objective: try objective(config, arguments),
      optimizer: try SGD(
        model.network.store, learningRate: config.learning_rate, momentum: config.momentum,
        weightDecay: config.weight_decay),
      seed: config.seed)
    let handle = TrainerHandle(created, model: model, teacher: teacher)
    result.pointee = OpaquePointer(Unmanaged.passRetained(handle).toOpaque())
  }
}

private func objective(_ config: skd_trainer_config, _ arguments: Arguments) throws
  -> any Objective
{
  func weight(_ value: Float, _ name: String) throws -> Float {
    try arguments.require(
      value >= 0 && value.isFinite, "config.\(name)", "be >= 0 and finite", got: value)
    return value
  }
  func temperature() throws -> Float {
    try arguments.require(
      config.temperature.isNormal && config.temperature > 0, "config.temperature",
      "be > 0, finite and not subnormal", got: config.temperature)
    return config.temperature
  }
  switch config.objective {
  case Int32(SKD_SUPERVISED):
    return SupervisedObjective()
  case Int32(SKD_GEN0):
    let views = try arguments.size(
      Int64(config.rotations_per_image), "config.rotations_per_image", in: 0...4)
    return Generation0Objective(
      rotationWeight: try weight(config.rotation_weight, "rotation_weight"),
      viewsPerImage: views == 0 ? 4 : views)
  case Int32(SKD_GEN1):
    var twins: [Rotation] = []
    if config.twin_90 != 0 { twins.append(.quarterTurn) }
    if config.twin_180 != 0 { twins.append(.halfTurn) }
    if config.twin_270 != 0 { twins.append(.threeQuarterTurn) }
    try arguments.require(
      !twins.isEmpty, "config.twins", "be 1 for at least one of 90, 180 and 270 degrees")
    return Generation1Objective(
      twinWeight: try weight(config.twin_weight, "twin_weight"), temperature: try temperature(),
      twins: twins, passesAllViews: config.all_views != 0)
  case Int32(SKD_DISTILLED):
    return DistilledObjective(
      crossEntropyWeight: try weight(config.cross_entropy_weight, "cross_entropy_weight"),
      distillationWeight: try weight(config.distillation_weight, "distillation_weight"),
      temperature: try temperature())
  default:
    throw SKDError.invalidArgument(
      InvalidArgument(
        "config.objective", of: arguments.function, in: 0...3, got: Int(config.objective)))
  }
}

@c @implementation
public func skd_trainer_free(_ trainer: OpaquePointer!) {
  guard let trainer else { return }
  let reference = Unmanaged<TrainerHandle>.fromOpaque(UnsafeRawPointer(trainer))
  if !reference.takeUnretainedValue().isLost { reference.release() }
}

@c @implementation
public func skd_trainer_set_learning_rate(_ trainer: OpaquePointer!, _ learning_rate: Double)
  -> skd_status
{
  status("trainer_set_learning_rate") { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    try arguments.number(
      learning_rate, "learning_rate", in: 0...Double(Float.greatestFiniteMagnitude))
    try handle.exclusively { $0.optimizer.learningRate = Float(learning_rate) }
  }
}

@c @implementation
public func skd_trainer_get_step(
  _ trainer: OpaquePointer!, _ step: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("trainer_get_step") { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    try arguments.pointer(step, "step").pointee = Int64(
      try handle.exclusively { $0.stepCount })
  }
}

@c @implementation
public func skd_trainer_has_gradient(
  _ trainer: OpaquePointer!, _ index: Int64, _ has_gradient: UnsafeMutablePointer<Int32>!
) -> skd_status {
  status("trainer_has_gradient") { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    let result = try arguments.pointer(has_gradient, "has_gradient")
    let entries = handle.trainer.network.store.entries
    let number = try arguments.size(index, "index", in: 0...entries.count - 1)
    result.pointee = try handle.exclusively { _ in entries[number].hasGradient } ? 1 : 0
  }
}
