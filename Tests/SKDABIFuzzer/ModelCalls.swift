import CSKD
import SKDABI

/// Models and trainers. Those that calls work on are made once; those that calls make are freed.
final class ModelCalls {
  private static let side: Int64 = 16
  private var models: [OpaquePointer] = []
  private var trainers: [OpaquePointer] = []

  /// Fails with the reason of the call that did.
  init() throws {
    for (architecture, head) in [
      ("resnet12", 1), ("resnet18", 1), ("convnet4", 0), ("seresnet12", 1),
    ] {
      models.append(try Self.model(architecture, rotationHead: Int32(head)))
    }
    for (objective, student, teacher) in [
      (SKD_GEN0, 0, nil), (SKD_GEN1, 1, 0), (SKD_SUPERVISED, 2, nil), (SKD_DISTILLED, 3, 2),
    ] as [(Int, Int, Int?)] {
      var config = skd_trainer_config()
      config.objective = Int32(objective)
      (config.rotation_weight, config.twin_weight) = (1, 0.1)
      (config.cross_entropy_weight, config.distillation_weight) = (1, 0.1)
      (config.temperature, config.twin_180) = (4, 1)
      (config.learning_rate, config.momentum) = (0.01, 0.9)
      var trainer: OpaquePointer?
      let status = skd_trainer_create(
        models[student], teacher.map { models[$0] }, &config, &trainer)
      guard status == SKD_OK, let trainer else { throw Failure.setUp(lastError) }
      trainers.append(trainer)
    }
  }

  enum Failure: Error { case setUp(String) }

  private static func model(_ architecture: String, rotationHead: Int32) throws -> OpaquePointer {
    var config = skd_model_config()
    var model: OpaquePointer?
    let widths: [Int64] = [4, 4, 4, 4]
    let status = architecture.withCString { name in
      widths.withUnsafeBufferPointer { widths in
        config.architecture = name
        (config.num_classes, config.image_size, config.drop_rate) = (3, Self.side, -1)
        (config.widths, config.width_count) = (widths.baseAddress, 4)
        config.rotation_head = rotationHead
        return skd_model_create(&config, &model)
      }
    }
    guard status == SKD_OK, let model else { throw Failure.setUp(lastError) }
    return model
  }

  private func model(_ a: RandomArguments) -> OpaquePointer? {
    a.once(in: 20) ? nil : a.element(of: models)
  }

  private func trainer(_ a: RandomArguments) -> OpaquePointer? {
    a.once(in: 20) ? nil : a.element(of: trainers)
  }

  /// The state of all models and trainers, as far as a call could change it.
  var state: [UInt64] {
    trainers.map { trainer in
      var step: Int64 = 0
      _ = skd_trainer_get_step(trainer, &step)
      return UInt64(step)
    }
      + models.map { model in
        var sum: UInt64 = 0
        var index: Int64 = 0
        var entry = skd_state_entry()
        while skd_model_get_entry(model, index, &entry) == SKD_OK {
          if entry.kind != SKD_COUNTER, let data = entry.data {
            let count = [entry.shape.0, entry.shape.1, entry.shape.2, entry.shape.3]
              .prefix(Int(entry.dimensions)).reduce(1, *)
            let bits = data.assumingMemoryBound(to: UInt32.self)
            for i in 0..<Int(count) { sum = sum &* 31 &+ UInt64(bits[i]) }
          }
          index += 1
        }
        return sum
      }
  }

  func calls() -> [(String, Call)] {
    [
      ("skd_model_create", { a in self.create(a) }),
      (
        "skd_model_clone",
        { a in
          var clone: OpaquePointer?
          let status =
            a.once(in: 9)
            ? skd_model_clone(self.model(a), nil) : skd_model_clone(self.model(a), &clone)
          skd_model_free(clone)
          return status
        }
      ),
      (
        "skd_model_free",
        { _ in
          skd_model_free(nil); return nil
        }
      ),
      (
        "skd_model_get_info",
        { a in skd_model_get_info(self.model(a), a.reference(skd_model_info())) }
      ),
      (
        "skd_model_get_entry",
        { a in
          skd_model_get_entry(self.model(a), a.size([0, 1, 40]), a.reference(skd_state_entry()))
        }
      ),
      (
        "skd_model_lock",
        { a in
          let model = self.model(a)
          defer { skd_model_unlock(model) }
          return skd_model_lock(model)
        }
      ),
      (
        "skd_model_unlock",
        { a in
          skd_model_unlock(self.model(a)); return nil
        }
      ),
      (
        "skd_trainer_lock",
        { a in
          let trainer = self.trainer(a)
          defer { skd_trainer_unlock(trainer) }
          return skd_trainer_lock(trainer)
        }
      ),
      (
        "skd_trainer_unlock",
        { a in
          skd_trainer_unlock(self.trainer(a)); return nil
        }
      ),
      ("skd_model_load", { a in self.load(a) }),
      (
        "skd_model_evaluate",
        { a in
          let batch = a.size([0, 1, 2, 3])
          return skd_model_evaluate(
            self.model(a), a.images(batch), batch, a.floats(batch, 4), a.floats(batch, 3),
            a.once(in: 2) ? nil : a.floats(batch, 4))
        }
      ),
      (
        "skd_model_evaluation_memory",
        { a in skd_model_evaluation_memory(self.model(a), a.size(), a.array([1]) { Int64(0) }) }
      ),
      (
        "skd_model_require_memory",
        { a in skd_model_require_memory(self.model(a), a.size([1, 2, 3]), a.size()) }
      ),
      (
        "skd_model_stage_shape",
        { a in
          skd_model_stage_shape(
            self.model(a), a.size(), a.size([0, 1, 2, 3]), a.reference(skd_image_shape()))
        }
      ),
      (
        "skd_model_stage_output",
        { a in
          let batch = a.size([0, 1, 2, 3])
          return skd_model_stage_output(
            self.model(a), a.images(batch), batch, a.size([0, 1, 2, 3]),
            a.floats(batch, Self.side / 2, Self.side / 2, 4))
        }
      ),
      ("skd_trainer_create", { a in self.createTrainer(a) }),
      (
        "skd_trainer_free",
        { _ in
          skd_trainer_free(nil); return nil
        }
      ),
      (
        "skd_trainer_step",
        { a in
          let batch = a.size([1, 2, 3])
          return skd_trainer_step(
            self.trainer(a), a.images(batch), a.integers(batch, below: 3), batch,
            a.stepOptions(), a.reference(skd_losses()))
        }
      ),
      (
        "skd_trainer_loss",
        { a in
          let batch = a.size([1, 2, 3])
          return skd_trainer_loss(
            self.trainer(a), a.images(batch), a.integers(batch, below: 3), batch,
            a.stepOptions(), a.reference(skd_losses()))
        }
      ),
      (
        "skd_trainer_step_memory",
        { a in
          skd_trainer_step_memory(
            self.trainer(a), a.size(), a.size([0, 16, 24]), a.array([1]) { Int64(0) })
        }
      ),
      (
        "skd_trainer_require_memory",
        { a in
          skd_trainer_require_memory(
            self.trainer(a), a.size([1, 2, 3]), a.size([0, 16, 24]), a.size())
        }
      ),
      (
        "skd_trainer_set_learning_rate",
        { a in skd_trainer_set_learning_rate(self.trainer(a), a.double([0.01, 0.1])) }
      ),
      (
        "skd_trainer_get_step",
        { a in skd_trainer_get_step(self.trainer(a), a.array([1]) { Int64(0) }) }
      ),
      (
        "skd_trainer_get_losses",
        { a in skd_trainer_get_losses(self.trainer(a), a.reference(skd_losses())) }
      ),
      (
        "skd_trainer_get_velocity",
        { a in
          skd_trainer_get_velocity(
            self.trainer(a), a.size([0, 1, 40]), a.array([1]) { UnsafePointer<Float>?.none })
        }
      ),
      ("skd_trainer_load", { a in self.loadTrainer(a) }),
      (
        "skd_trainer_has_gradient",
        { a in
          skd_trainer_has_gradient(self.trainer(a), a.size([0, 1, 40]), a.array([1]) { Int32(0) })
        }
      ),
    ]
  }

  private func create(_ a: RandomArguments) -> skd_status {
    let names = [
      "resnet12", "seresnet12", "resnet18", "resnet24", "convnet4", "wrn_28_10", "", "é",
    ]
    let widths = (0..<4).map { _ in a.element(of: [1, 2, 5, 5, 32, 0, -1, 8_193, .max, .min]) }
    var model: OpaquePointer?
    let status = a.element(of: names).withCString { name in
      widths.map { Int64($0) }.withUnsafeBufferPointer { widths in
        var config = skd_model_config()
        config.architecture = a.once(in: 20) ? nil : name
        config.num_classes = a.element(of: [1, 3, 5, 0, -1, 1_000_001, .max])
        config.image_size = a.element(of: [16, 17, 32, 1, 8, 0, -1, 4_097, .max])
        config.input_channels = a.size([0, 1, 3, 4])
        // The library's own widths take a second to fill.
        config.widths = a.once(in: 20) && config.num_classes < 1 ? nil : widths.baseAddress
        config.width_count = a.element(of: [3, 4, 4, 4, 0, -1, 65])
        config.drop_rate = a.float([-1, 0, 0.1])
        config.dropblock_size = a.size([0, 1, 2])
        config.rotation_head = a.code(-1...1)
        config.seed = a.next()
        config.precision = a.code(0...1)
        config.use_se = a.code(0...1)
        config.zero_state = a.code(0...1)
        if a.once(in: 20) { return skd_model_create(nil, &model) }
        if a.once(in: 20) { return skd_model_create(&config, nil) }
        return skd_model_create(&config, &model)
      }
    }
    skd_model_free(model)
    return status
  }

  private func createTrainer(_ a: RandomArguments) -> skd_status {
    var config = skd_trainer_config()
    config.objective = a.code(0...3)
    (config.rotation_weight, config.twin_weight) = (a.float(), a.float())
    (config.cross_entropy_weight, config.distillation_weight) = (a.float(), a.float())
    config.temperature = a.float()
    (config.twin_90, config.twin_180, config.twin_270) = (
      a.code(0...1), a.code(0...1), a.code(0...1)
    )
    config.all_views = a.code(0...1)
    (config.learning_rate, config.momentum) = (a.float(), a.float([0, 0.9]))
    config.weight_decay = a.float()
    config.seed = a.next()
    var trainer: OpaquePointer?
    let (student, teacher) = (model(a), a.once(in: 2) ? nil : model(a))
    let status =
      a.once(in: 20)
      ? skd_trainer_create(student, teacher, a.reference(config), nil)
      : skd_trainer_create(student, teacher, a.reference(config), &trainer)
    skd_trainer_free(trainer)
    return status
  }

  private func load(_ a: RandomArguments) -> skd_status {
    let model = model(a)
    var info = skd_model_info()
    if let model { _ = skd_model_get_info(model, &info) }
    var arrays: [UnsafeRawPointer?] = (0..<info.state_count).map { index in
      var entry = skd_state_entry()
      _ = skd_model_get_entry(model, index, &entry)
      let shape = [entry.shape.0, entry.shape.1, entry.shape.2, entry.shape.3]
      let count = shape.prefix(Int(entry.dimensions)).reduce(1, *)
      let isVariance = entry.name.map { String(cString: $0).hasSuffix("running_var") } ?? false
      let bad: Float? = a.once(in: 400) ? a.float([-1]) : nil
      if entry.kind == SKD_COUNTER { return UnsafeRawPointer(a.integers(1, below: 9)) }
      return UnsafeRawPointer(
        a.array([count]) { bad ?? Float(a.below(100)) / 100 + (isVariance ? 0.1 : -0.5) })
    }
    return a.once(in: 20)
      ? skd_model_load(model, nil, info.state_count)
      : arrays.withUnsafeMutableBufferPointer {
        skd_model_load(model, $0.baseAddress, a.once(in: 9) ? a.size() : info.state_count)
      }
  }

  private func loadTrainer(_ a: RandomArguments) -> skd_status {
    let velocities = (0..<300).map { _ in UnsafePointer(a.once(in: 300) ? nil : a.zeros) }
    return skd_trainer_load(
      trainer(a), a.once(in: 20) ? nil : velocities,
      a.element(of: entryCounts + [0, -1, .max]), a.size())
  }

  private var entryCounts: [Int64] {
    models.map { model in
      var info = skd_model_info()
      _ = skd_model_get_info(model, &info)
      return info.state_count
    }
  }
}

var lastError: String { String(cString: skd_last_error()) }
