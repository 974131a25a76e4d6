import CSKD
import SKDABI
import SKDTestSupport
import XCTest

/// The trainers of skd.h.
final class TrainerABITests: XCTestCase {
  private let images = ABIModel.images(3)
  private let labels: [Int64] = [0, 1, 2]

  private func config(_ objective: Int) -> skd_trainer_config {
    var config = skd_trainer_config()
    config.objective = Int32(objective)
    (config.rotation_weight, config.twin_weight) = (2, 0.1)
    (config.cross_entropy_weight, config.distillation_weight) = (2, 0.1)
    config.temperature = 4
    config.twin_180 = 1
    config.learning_rate = 0.1
    config.momentum = 0.9
    config.weight_decay = 5e-4
    return config
  }

  private func create(
    _ model: OpaquePointer?, _ teacher: OpaquePointer? = nil, _ config: skd_trainer_config
  ) -> (outcome: Outcome, trainer: OpaquePointer?) {
    var (config, trainer) = (config, OpaquePointer?.none)
    let outcome = Outcome(skd_trainer_create(model, teacher, &config, &trainer))
    return (outcome, trainer)
  }

  private func steps(_ trainer: OpaquePointer) -> Int64 {
    var step: Int64 = -5
    assertOK(skd_trainer_get_step(trainer, &step))
    return step
  }

  func testStepTrainsAndLossDoesNot() throws {
    for objective in [SKD_SUPERVISED, SKD_GEN0, SKD_GEN1, SKD_DISTILLED].map({ Int($0) }) {
      let (model, teacher) = (try ABIModel(), try ABIModel(seed: 2))
      let isTaught = objective == Int(SKD_GEN1) || objective == Int(SKD_DISTILLED)
      let created = create(model.handle, isTaught ? teacher.handle : nil, config(objective))
      assertOK(created.outcome.status)
      let trainer = try XCTUnwrap(created.trainer)
      defer { skd_trainer_free(trainer) }
      let (before, taught) = (model.state, teacher.state)
      var (loss, step) = (skd_losses(), skd_losses())
      assertOK(skd_trainer_loss(trainer, images, labels, 3, nil, &loss))
      XCTAssertEqual(model.state, before)
      XCTAssertEqual(steps(trainer), 0)
      assertOK(skd_trainer_step(trainer, images, labels, 3, nil, &step))
      XCTAssertEqual(step.total, loss.total)
      XCTAssertEqual(
        step.total,
        objective == Int(SKD_DISTILLED)
          ? 2 * step.cross_entropy + 0.1 * step.distillation
          : isTaught
            ? step.distillation + 0.1 * step.twin : step.cross_entropy + 2 * step.rotation,
        accuracy: 1e-6 * step.total)
      XCTAssertNotEqual(model.state, before)
      XCTAssertEqual(teacher.state, taught)
      XCTAssertEqual(steps(trainer), 1)
    }
  }

  func testGradientsExistForWhatTheLossReads() throws {
    let model = try ABIModel()
    for (objective, readsHead) in [(SKD_SUPERVISED, Int32(0)), (SKD_GEN0, 1)] {
      let trainer = try XCTUnwrap(create(model.handle, nil, config(Int(objective))).trainer)
      defer { skd_trainer_free(trainer) }
      var (losses, hasGradient) = (skd_losses(), Int32(-5))
      assertOK(skd_trainer_loss(trainer, images, labels, 3, nil, &losses))
      let count = model.info.state_count
      assertOK(skd_trainer_has_gradient(trainer, 0, &hasGradient))
      XCTAssertEqual(hasGradient, 1)
      assertOK(skd_trainer_has_gradient(trainer, count - 1, &hasGradient))
      XCTAssertEqual(hasGradient, readsHead)
      for index in [-1, count] {
        assertRefused(
          skd_trainer_has_gradient(trainer, index, &hasGradient),
          "index of trainer_has_gradient")
      }
    }
  }

  func testTrainerKeepsItsModelsAlive() throws {
    let trainer: OpaquePointer
    do {
      let (model, teacher) = (try ABIModel(), try ABIModel(seed: 2))
      trainer = try XCTUnwrap(
        create(model.handle, teacher.handle, config(Int(SKD_GEN1))).trainer)
    }
    var losses = skd_losses()
    assertOK(skd_trainer_step(trainer, images, nil, 3, nil, &losses))
    XCTAssertTrue(losses.total.isFinite)
    XCTAssertEqual(losses.accuracy, 0)
    XCTAssertEqual(steps(trainer), 1)
    skd_trainer_free(trainer)
    skd_trainer_free(nil)
  }

  func testLearningRateDecidesTheStep() throws {
    let model = try ABIModel()
    let trainer = try XCTUnwrap(create(model.handle, nil, config(Int(SKD_SUPERVISED))).trainer)
    defer { skd_trainer_free(trainer) }
    for rate in [-1, .nan, .infinity, 1e39] as [Double] {
      assertRefused(
        skd_trainer_set_learning_rate(trainer, rate), "learning_rate of trainer_set_learning_rate")
    }
    assertOK(skd_trainer_set_learning_rate(trainer, 0))
    let entry = model.entries[0]
    let weights = UnsafeRawBufferPointer(start: entry.data, count: entry.byteCount)
    let before = Array(weights)
    var losses = skd_losses()
    assertOK(skd_trainer_step(trainer, images, labels, 3, nil, &losses))
    XCTAssertEqual(Array(weights), before)
    assertOK(skd_trainer_set_learning_rate(trainer, 0.1))
    assertOK(skd_trainer_step(trainer, images, labels, 3, nil, &losses))
    XCTAssertNotEqual(Array(weights), before)
  }

  func testBadConfigurationsAreNamed() throws {
    let (model, teacher) = (try ABIModel(), try ABIModel(seed: 2))
    let headless = try ABIModel(rotationHead: 0)
    let (m, t) = (model.handle, teacher.handle)
    let other = ABIModel(
      owning: try XCTUnwrap(ABIModel.create("resnet12", classes: 4).1))
    let larger = ABIModel(
      owning: try XCTUnwrap(ABIModel.create("resnet12", imageSize: 32).1))
    let (gen0, gen1) = (Int(SKD_GEN0), Int(SKD_GEN1))
    func with(_ objective: Int, _ change: (inout skd_trainer_config) -> Void) -> skd_trainer_config
    {
      var result = config(objective)
      change(&result)
      return result
    }
    let claims: [(OpaquePointer?, OpaquePointer?, skd_trainer_config, String)] = [
      (nil, nil, config(0), "model of trainer_create must not be NULL"),
      (m, nil, config(4), "config.objective of trainer_create must be in 0...3; got 4"),
      (m, nil, config(3), "teacher of trainer_create must be a model for Distilled; got none"),
      (headless.handle, nil, config(gen0), "model of trainer_create must have a rotation head"),
      (m, nil, config(gen1), "teacher of trainer_create must be a model for Gen1"),
      (m, m, config(gen1), "teacher of trainer_create must be another model"),
      (m, other.handle, config(gen1), "number of classes, 3; got 4"),
      (m, larger.handle, config(gen1), "image size, 16; got 32"),
      (m, m, config(gen0), "teacher of trainer_create must be left out for Gen0"),
      (m, larger.handle, config(0), "must be left out for Supervised"),
      (m, t, with(gen1) { $0.twin_180 = 0 }, "config.twins of trainer_create"),
      (m, t, with(gen1) { $0.temperature = 0 }, "config.temperature of trainer_create"),
      (m, t, with(gen1) { $0.twin_weight = .nan }, "config.twin_weight of trainer_create"),
      (m, nil, with(gen0) { $0.rotation_weight = -1 }, "config.rotation_weight of trainer_create"),
      (
        m, nil, with(gen0) { $0.learning_rate = .infinity },
        "config.learning_rate of trainer_create"
      ),
      (m, nil, with(gen0) { $0.momentum = 1 }, "config.momentum of trainer_create"),
      (m, nil, with(gen0) { $0.weight_decay = -1 }, "config.weight_decay of trainer_create"),
    ]
    for (model, teacher, config, message) in claims {
      let created = create(model, teacher, config)
      assertRefused(created.outcome, message)
      XCTAssertNil(created.trainer, message)
      if let trainer = created.trainer { skd_trainer_free(trainer) }
    }
    var (options, trainer) = (config(0), OpaquePointer?.none)
    assertRefused(skd_trainer_create(m, nil, nil, &trainer), "config of trainer_create")
    assertRefused(skd_trainer_create(m, nil, &options, nil), "trainer of trainer_create")
  }

  func testBadBatchesAreNamedAndChangeNothing() throws {
    let model = try ABIModel()
    let trainer = try XCTUnwrap(create(model.handle, nil, config(Int(SKD_GEN0))).trainer)
    defer { skd_trainer_free(trainer) }
    let before = model.state
    var losses = skd_losses()
    losses.total = -5
    var bad = images
    bad[7] = .nan
    for (images, labels, batch, message) in [
      (nil, labels, 3, "images of trainer_step must not be NULL"),
      (images, nil, 3, "labels of trainer_step must be given"),
      (images, labels, 0, "batch of trainer_step must be in 1..."),
      (images, labels, -1, "batch of trainer_step"),
      (images, labels, .max, "batch of trainer_step"),
      (images, [0, 3, 0], 3, "labels of trainer_step must be in 0...2; got 3 at index 1"),
      (images, [0, 0, -1], 3, "labels of trainer_step must be in 0...2; got -1 at index 2"),
      (bad, labels, 3, "images of trainer_step must be finite; got nan at index 7"),
    ] as [([Float]?, [Int64]?, Int64, String)] {
      let outcome = withOptional(images) { images in
        withOptional(labels) { labels in
          Outcome(skd_trainer_step(trainer, images, labels, batch, nil, &losses))
        }
      }
      assertRefused(outcome, message)
    }
    assertRefused(skd_trainer_step(nil, images, labels, 3, nil, &losses), "trainer of trainer_step")
    assertRefused(skd_trainer_loss(trainer, images, labels, 3, nil, nil), "losses of trainer_loss")
    XCTAssertEqual(model.state, before)
    XCTAssertEqual(losses.total, -5)
    XCTAssertEqual(steps(trainer), 0)
  }

  func testNonFiniteStepHasItsOwnStatusAndChangesNothing() throws {
    let model = try ABIModel()
    let trainer = try XCTUnwrap(create(model.handle, nil, config(Int(SKD_GEN0))).trainer)
    defer { skd_trainer_free(trainer) }
    let before = model.state
    var losses = skd_losses()
    losses.total = -5
    let outcome = Outcome(
      skd_trainer_step(trainer, images.map { 1e25 * $0 }, labels, 3, nil, &losses))
    XCTAssertEqual(outcome.status, skd_status(SKD_NON_FINITE))
    XCTAssertTrue(outcome.message.contains("of step 1 is not finite"), outcome.message)
    XCTAssertEqual(model.state, before)
    XCTAssertEqual(losses.total, -5)
    XCTAssertEqual(steps(trainer), 0)
  }

  private func withOptional<Element, Result>(
    _ values: [Element]?, _ body: (UnsafePointer<Element>?) -> Result
  ) -> Result {
    guard let values else { return body(nil) }
    return values.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
