import SKDKernels
import SKDNN
import SKDRuntime

/// Trains a network for an objective: rotate, forward, losses, backward, SGD.
///
/// Not thread-safe, nor are its networks: one call at a time.
public final class Trainer {
  public let network: Network
  public let teacher: Network?
  public let objective: any Objective
  public let optimizer: SGD
  private let seed: UInt64
  /// Steps taken. It seeds dropout and random views, and drives DropBlock's ramp.
  public var stepCount = 0
  /// Terms of the last step or loss, also of one that was refused as not finite.
  public private(set) var lastLosses = Losses()
  /// The last step that was found to fit into memory.
  var admittedStep: MemoryNeed?

  /// - Parameters:
  ///   - teacher: Frozen; for objectives that need one only.
  ///   - seed: Seed of dropout, DropBlock and random views.
  /// - Throws: `SKDError.invalidArgument` if the network lacks a head that the objective reads, or
  ///   the teacher does not match.
  public init(
    network: Network, teacher: Network? = nil, objective: any Objective, optimizer: SGD,
    seed: UInt64
  ) throws {
    let owner = "Trainer"
    try require(
      network.configuration.hasRotationHead || !objective.readsRotationHead, "network", of: owner,
      "have a rotation head for \(objective.name)")
    if objective.needsTeacher {
      try Self.check(teacher: teacher, of: network, objective.name)
    } else {
      // Unchecked, a teacher of larger images would read beyond the student's.
      try require(teacher == nil, "teacher", of: owner, "be left out for \(objective.name)")
    }
    self.network = network
    self.teacher = teacher
    self.objective = objective
    self.optimizer = optimizer
    self.seed = seed
  }

  private static func check(teacher: Network?, of network: Network, _ objective: String) throws {
    func check(_ condition: Bool, _ legal: String, got: String? = nil) throws {
      try require(condition, "teacher", of: "Trainer", legal, got: got)
    }
    try check(teacher != nil, "be a model for \(objective)", got: "none")
    guard let teacher else { return }
    try check(teacher !== network, "be another model than the student: clone it")
    let (a, b) = (teacher.configuration, network.configuration)
    for (extent, ofTeacher, ofStudent) in [
      ("number of classes", a.classCount, b.classCount), ("image size", a.imageSize, b.imageSize),
      ("number of input channels", a.inputChannels, b.inputChannels),
    ] {
      try check(
        ofTeacher == ofStudent, "have the student's \(extent), \(ofStudent)", got: "\(ofTeacher)")
    }
  }

  /// One training step.
  ///
  /// - Parameters:
  ///   - images: `batch` normalised images, upright, of the network's channels.
  ///   - labels: One class per image in `0..<classCount`; nil only for generation 1.
  ///   - side: Height and width of the images, in pixels, at least the architecture's
  ///     `minimumImageSize`; nil for the network's image size.
  ///   - terms: Join the objective's loss. Their functions must not use this trainer's networks.
  ///     There must be none if the objective draws views at random.
  ///   - share: The part of a larger batch that the images form; nil if it is all. Losses are means
  ///     over the whole batch, and the step is the same in every process that has a part of it.
  /// - Throws: `SKDError.nonFinite` if a loss or gradient is not finite, or a parameter or velocity
  ///   would not be; `.invalidArgument` if the batch is too small for batch norm; errors of a
  ///   term's function. Nothing is updated then.
  public func step(
    images: UnsafePointer<Float>, labels: UnsafePointer<Int64>?, batch: Int, side: Int? = nil,
    terms: [LossTerm] = [], share: BatchShard? = nil
  ) throws -> Losses {
    let losses = try loss(
      images: images, labels: labels, batch: batch, side: side, terms: terms, share: share)
    let largestGradient = optimizer.largestGradient()
    try requireFinite(largestGradient.isFinite, "a gradient", losses)
    try requireFinite(
      optimizer.stepIsFinite(largestGradient: largestGradient),
      "a parameter or velocity after the update", losses)
    network.commitStatistics()
    optimizer.step()
    stepCount += 1
    return losses
  }

  /// The losses and the gradients of the step that `step` would take, without any update.
  public func loss(
    images: UnsafePointer<Float>, labels: UnsafePointer<Int64>?, batch: Int, side: Int? = nil,
    terms: [LossTerm] = [], share: BatchShard? = nil
  ) throws -> Losses {
    try require(
      labels != nil || !objective.needsLabels, "labels", of: "Trainer.step", "be given")
    try require(
      terms.isEmpty || objective.viewsPerImage == objective.views.count, "terms",
      of: "Trainer.step", "be left out if the rotations are drawn at random")
    let side = side ?? network.configuration.imageSize
    let pool = network.pool
    // Layers keep tensors that no backward pass has fetched: in heads that the loss does not read,
    // and everywhere if it fails.
    defer { pool.forgetTensors() }
    let context = TrainingContext(pool: pool, seed: seed, step: stepCount, share: share)
    let sampler = ViewSampler(seed: seed, step: stepCount, first: share?.first ?? 0)
    let rotations = sampler.rotations(ofImages: batch, for: objective)
    let views = try rotated(images, batch: batch, side: side, by: rotations)
    let teacherLogits = try taughtLogits(images, batch: batch, side: side)
    let output = try network.forward(views, context)
    let gradients = LogitGradients(
      logits: try pool.tensor(output.logits.shape),
      rotationLogits: objective.readsRotationHead
        ? try output.rotationLogits.map { try pool.tensor($0.shape) } : nil)
    var losses = Losses()
    try pool.compute {
      losses = try objective.losses(
        of: output, images: batch, rotations: rotations, labels: labels,
        teacherLogits: teacherLogits, gradients: gradients)
    }
    if let share { losses = try whole(losses, share) }
    lastLosses = losses
    try requireFinite(losses.total.isFinite, "the loss", losses)
    let dEmbedding =
      if let share, !terms.isEmpty {
        try addTogether(
          terms, of: output, images: batch, labels: labels, to: &losses,
          dLogits: gradients.logits, share)
      } else {
        try add(
          terms, of: output, images: batch, labels: labels, to: &losses,
          dLogits: gradients.logits)
      }
    lastLosses = losses
    try requireFinite(losses.total.isFinite, "the loss with its terms", losses)
    if let share { scale([gradients.logits, gradients.rotationLogits, dEmbedding], share) }
    try network.backward(
      dLogits: gradients.logits, dRotationLogits: gradients.rotationLogits,
      dEmbedding: dEmbedding, context)
    return losses
  }

  /// The images in each of their views, in one batch.
  private func rotated(
    _ images: UnsafePointer<Float>, batch: Int, side: Int, by rotations: [Rotation]
  ) throws -> Tensor {
    let shape = network.imageShape(batch: rotations.count, side: side)
    let views = try network.pool.tensor(shape)
    let imageCount = shape.count / shape.batch
    // Runs of rows that turn alike are rotated at once: a whole view if it is not drawn at random.
    network.pool.compute {
      var row = 0
      while row < rotations.count {
        let (image, rotation) = (row % batch, rotations[row])
        let limit = row - image + batch
        let end = rotations[row..<limit].firstIndex { $0 != rotation } ?? limit
        rotateImages(
          images + image * imageCount, batch: end - row, side: shape.height,
          channels: shape.channels, quarterTurns: rotation.quarterTurns,
          into: views.pointer + row * imageCount)
        row = end
      }
    }
    return views
  }

  private func taughtLogits(_ images: UnsafePointer<Float>, batch: Int, side: Int) throws
    -> Tensor?
  {
    guard let teacher else { return nil }
    let upright = try teacher.pool.tensor(teacher.imageShape(batch: batch, side: side))
    teacher.pool.compute { upright.pointer.update(from: images, count: upright.count) }
    return try teacher.evaluate(upright).logits
  }

  private func requireFinite(_ isFinite: Bool, _ what: String, _ losses: Losses) throws {
    if isFinite { return }
    throw SKDError.nonFinite(
      "\(what) of step \(stepCount + 1) is not finite: total \(losses.total), cross-entropy "
        + "\(losses.crossEntropy), rotation \(losses.rotation), distillation "
        + "\(losses.distillation), twin \(losses.twin); nothing was updated")
  }
}
