import CSKD
import SKDABI
import SKDTestSupport
import XCTest

/// Terms of the caller in skd.h, and who may use which model while one is computed.
final class TermABITests: XCTestCase {
  private let images = ABIModel.images(3)
  private let labels: [Int64] = [0, 1, 2]

  /// What a term's function does, and what it saw; handed through the context pointer.
  private final class Context {
    var value = 2.0
    var gradient: [Float] = []
    var outcome: Int32 = 0
    var setsGradient = true
    var body: () -> Void = {}
    private(set) var inputs: [(batch: Int64, views: [Int32], dimensions: Int64, label: Int64?)] = []

    func evaluate(
      _ input: skd_term_input, _ value: UnsafeMutablePointer<Double>,
      _ gradient: UnsafeMutablePointer<UnsafePointer<Float>?>
    ) -> Int32 {
      inputs.append(
        (
          input.batch, (0..<Int(input.view_count)).map { input.degrees[$0] }, input.dimensions,
          input.labels?[1]
        ))
      let count = Int(input.view_count * input.batch * input.dimensions)
      if self.gradient.count != count { self.gradient = [Float](repeating: 0.5, count: count) }
      body()
      value.pointee = self.value
      // The array lives, and does not move, until the test ends.
      self.gradient.withUnsafeBufferPointer {
        gradient.pointee = setsGradient ? $0.baseAddress : nil
      }
      return outcome
    }
  }

  private func trainer(_ model: ABIModel, _ objective: Int = Int(SKD_GEN0)) throws -> OpaquePointer
  {
    var config = skd_trainer_config()
    config.objective = Int32(objective)
    (config.rotation_weight, config.twin_weight) = (2, 0.1)
    (config.cross_entropy_weight, config.distillation_weight) = (2, 0.1)
    (config.temperature, config.twin_180) = (4, 1)
    config.learning_rate = 0.1
    var trainer: OpaquePointer?
    assertOK(skd_trainer_create(model.handle, nil, &config, &trainer))
    return try XCTUnwrap(trainer)
  }

  private func step(
    _ trainer: OpaquePointer?, _ context: Context, reads: Int = Int(SKD_TERM_LOGITS),
    weight: Float = 1, count: Int64 = 1, change: (inout skd_term) -> Void = { _ in }
  ) -> (outcome: Outcome, losses: skd_losses) {
    var losses = skd_losses()
    losses.total = -5
    let outcome = "own".withCString { name in
      var term = skd_term(
        name: name, reads: Int32(reads), weight: weight,
        function: { context, input, value, gradient in
          guard let context, let input, let value, let gradient else { return 7 }
          return Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
            .evaluate(input.pointee, value, gradient)
        }, context: Unmanaged.passUnretained(context).toOpaque())
      change(&term)
      return withUnsafePointer(to: term) { term in
        var options = skd_step_options()
        (options.terms, options.term_count) = (term, count)
        return Outcome(skd_trainer_step(trainer, images, labels, 3, &options, &losses))
      }
    }
    return (outcome, losses)
  }

  func testATermIsCalledOnceAndJoinsTheTotal() throws {
    for (reads, dimensions) in [(Int(SKD_TERM_LOGITS), Int64(3)), (Int(SKD_TERM_EMBEDDING), 4)] {
      let (model, twin) = (try ABIModel(), try ABIModel())
      let (trainer, plain) = (try trainer(model), try trainer(twin))
      defer {
        skd_trainer_free(trainer)
        skd_trainer_free(plain)
      }
      let context = Context()
      let (outcome, losses) = step(trainer, context, reads: reads, weight: 0.25)
      assertOK(outcome.status)
      var expected = skd_losses()
      assertOK(skd_trainer_step(plain, images, labels, 3, nil, &expected))
      XCTAssertEqual(losses.total, expected.total + 0.5, accuracy: 1e-5)
      XCTAssertEqual(losses.cross_entropy, expected.cross_entropy)
      XCTAssertNotEqual(model.state, twin.state)
      XCTAssertEqual(context.inputs.count, 1)
      let input = try XCTUnwrap(context.inputs.first)
      XCTAssertEqual(input.batch, 3)
      XCTAssertEqual(input.views, [0, 90, 180, 270])
      XCTAssertEqual(input.dimensions, dimensions)
      XCTAssertEqual(input.label, 1)
    }
  }

  func testAFailingOrNonFiniteTermIsNamedAndChangesNothing() throws {
    let model = try ABIModel()
    let trainer = try trainer(model)
    defer { skd_trainer_free(trainer) }
    let before = model.state
    let (failing, silent, infinite) = (Context(), Context(), Context())
    failing.outcome = 3
    silent.setsGradient = false
    infinite.value = .infinity
    for (context, status, message) in [
      (failing, SKD_CALLBACK_FAILED, "term 'own' of trainer_step must return 0; got 3"),
      (silent, SKD_CALLBACK_FAILED, "must set its gradient; got NULL"),
      (infinite, SKD_NON_FINITE, "term 'own' of step 1 is not finite: value inf"),
    ] {
      let (outcome, losses) = step(trainer, context)
      XCTAssertEqual(outcome.status, skd_status(status))
      XCTAssertTrue(outcome.message.contains(message), outcome.message)
      XCTAssertEqual(losses.total, -5)
      XCTAssertEqual(model.state, before)
    }
    assertOK(step(trainer, Context()).outcome.status)
  }

  func testBadTermsAreRefusedAndNamed() throws {
    let model = try ABIModel()
    let trainer = try trainer(model)
    defer { skd_trainer_free(trainer) }
    let before = model.state
    for (change, message) in [
      ({ $0.name = nil }, "terms.name of trainer_step must not be NULL"),
      ({ $0.function = nil }, "terms.function of trainer_step"),
      ({ $0.reads = 2 }, "terms.reads of trainer_step must be in 0...1; got 2"),
      ({ $0.weight = .nan }, "weight of term 'own' of trainer_step must be finite"),
    ] as [((inout skd_term) -> Void, String)] {
      assertRefused(step(trainer, Context(), change: change).outcome, message)
    }
    for count in [-1, 65, .max] as [Int64] {
      assertRefused(
        step(trainer, Context(), count: count).outcome, "term_count of trainer_step")
    }
    var losses = skd_losses()
    var options = skd_step_options()
    options.term_count = 1
    assertRefused(
      skd_trainer_loss(trainer, images, labels, 3, &options, &losses),
      "terms of trainer_loss must not be NULL")
    options.term_count = 0
    assertOK(skd_trainer_loss(trainer, images, labels, 3, &options, &losses))
    XCTAssertEqual(model.state, before)
  }

  /// The model is locked during its step: to wait for it would be a deadlock.
  func testATermsFunctionMayUseOtherModelsButNotItsOwn() throws {
    let (model, other) = (try ABIModel(), try ABIModel(seed: 2))
    let trainer = try trainer(model)
    defer { skd_trainer_free(trainer) }
    let context = Context()
    var (own, foreign): (Outcome?, skd_status?) = (nil, nil)
    context.body = {
      var logits = [Float](repeating: 0, count: 9)
      own = Outcome(skd_model_evaluate(model.handle, self.images, 3, nil, &logits, nil))
      foreign = skd_model_evaluate(other.handle, self.images, 3, nil, &logits, nil)
    }
    assertOK(step(trainer, context).outcome.status)
    XCTAssertEqual(foreign, skd_status(SKD_OK))
    assertRefused(
      try XCTUnwrap(own), "must not be one that the training step around this call uses")
    XCTAssertEqual(model.logits(images).count, 9)
  }

  /// Each function asks for the model of the other step: one is refused, and both steps end.
  func testStepsWhoseTermsWaitForEachOtherDoNotHang() throws {
    let models = [try ABIModel(), try ABIModel(seed: 2)]
    let trainers = try models.map { try trainer($0) }
    defer { for trainer in trainers { skd_trainer_free(trainer) } }
    let bothHold = DispatchGroup()
    for _ in models { bothHold.enter() }
    nonisolated(unsafe) let statuses = UnsafeMutableBufferPointer<skd_status>.allocate(capacity: 2)
    statuses.initialize(repeating: -5)
    defer { statuses.deallocate() }
    let images = images
    nonisolated(unsafe) let (handles, threads) = (models.map(\.handle), trainers)
    let contexts = [0, 1].map { number in
      let context = Context()
      context.body = {
        bothHold.leave()
        bothHold.wait()
        var logits = [Float](repeating: 0, count: 9)
        statuses[number] = skd_model_evaluate(
          handles[1 - number], images, 3, nil, &logits, nil)
      }
      return context
    }
    nonisolated(unsafe) let run = { (number: Int) in
      let outcome = self.step(threads[number], contexts[number]).outcome
      XCTAssertEqual(outcome.status, skd_status(SKD_OK))
    }
    let bothEnd = DispatchGroup()
    for number in 0...1 {
      bothEnd.enter()
      Thread.detachNewThread {
        run(number)
        bothEnd.leave()
      }
    }
    bothEnd.wait()
    XCTAssertTrue(statuses.contains(skd_status(SKD_INVALID_ARGUMENT)), "\(Array(statuses))")
    XCTAssertTrue(
      statuses.allSatisfy { [skd_status(SKD_OK), skd_status(SKD_INVALID_ARGUMENT)].contains($0) })
  }
}
