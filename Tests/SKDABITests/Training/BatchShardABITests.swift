import CSKD
import SKDABI
import SKDTestSupport
import XCTest

/// Trainer calls of skd.h on parts of a batch. Two threads stand for two processes.
final class BatchShardABITests: XCTestCase {
  private static let batch = 5
  private let images = ABIModel.images(batch)
  private let labels: [Int64] = [0, 1, 2, 1, 0]

  private func trainer(_ model: ABIModel, _ objective: Int, teacher: ABIModel? = nil) throws
    -> OpaquePointer
  {
    var config = skd_trainer_config()
    config.objective = Int32(objective)
    (config.rotation_weight, config.twin_weight) = (2, 0.1)
    (config.cross_entropy_weight, config.distillation_weight) = (2, 0.1)
    (config.temperature, config.twin_180) = (4, 1)
    (config.learning_rate, config.momentum, config.weight_decay) = (0.1, 0.9, 5e-4)
    var trainer: OpaquePointer?
    assertOK(skd_trainer_create(model.handle, teacher?.handle, &config, &trainer))
    return try XCTUnwrap(trainer)
  }

  /// A rank's call on its images: its outcome, and the losses.
  private func step(
    _ trainer: OpaquePointer, _ rank: Meeting.Rank, _ part: Range<Int>, syncs: Int32 = 1,
    change: (inout skd_batch_share) -> Void = { _ in }
  ) -> (outcome: Outcome, losses: skd_losses) {
    var share = rank.share(first: part.lowerBound, total: Self.batch, syncs: syncs)
    change(&share)
    var losses = skd_losses()
    losses.total = -5
    let (start, end) = (
      part.lowerBound * ABIModel.imageCount, part.upperBound * ABIModel.imageCount
    )
    let outcome = withExtendedLifetime(rank) {
      withUnsafePointer(to: share) { share in
        var options = skd_step_options()
        options.share = share
        return Outcome(
          skd_trainer_step(
            trainer, Array(images[start..<end]), Array(labels[part]), Int64(part.count),
            &options, &losses))
      }
    }
    return (outcome, losses)
  }

  /// Runs a body for each of two ranks, each on a thread of its own, and returns what they return.
  private func inTwoRanks<Value>(_ body: @escaping (_ rank: Int) -> Value) -> [Value] {
    nonisolated(unsafe) let body = body
    nonisolated(unsafe) let values = UnsafeMutablePointer<Value>.allocate(capacity: 2)
    defer { values.deallocate() }
    let end = DispatchGroup()
    for rank in 0...1 {
      end.enter()
      Thread.detachNewThread {
        (values + rank).initialize(to: body(rank))
        end.leave()
      }
    }
    end.wait()
    return (0...1).map { (values + $0).move() }
  }

  func testTwoRanksTakeTheStepOfOne() throws {
    let parts = [0..<2, 2..<5]
    for objective in [SKD_SUPERVISED, SKD_GEN0, SKD_GEN1, SKD_DISTILLED].map({ Int($0) }) {
      let isTaught = objective == Int(SKD_GEN1) || objective == Int(SKD_DISTILLED)
      let models = try (0...2).map { _ in try ABIModel() }
      let teachers = try models.map { _ in isTaught ? try ABIModel(seed: 2) : nil }
      let trainers = try zip(models, teachers).map { try trainer($0, objective, teacher: $1) }
      defer { for trainer in trainers { skd_trainer_free(trainer) } }
      let meeting = Meeting()
      for _ in 0..<3 {
        var expected = skd_losses()
        assertOK(skd_trainer_step(trainers[2], images, labels, Int64(Self.batch), nil, &expected))
        let ranks = inTwoRanks { self.step(trainers[$0], meeting.rank($0), parts[$0]) }
        for (outcome, losses) in ranks {
          XCTAssertEqual(outcome.status, skd_status(SKD_OK), outcome.message)
          XCTAssertEqual(losses.total, expected.total, accuracy: 1e-5 * expected.total)
          XCTAssertEqual(losses.accuracy, expected.accuracy, accuracy: 1e-6)
        }
      }
      XCTAssertEqual(models[0].state, models[1].state)
      // Steps of rate 0.1 carry the first rounding along.
      assertClose(models[0].floats, models[2].floats, relative: 1e-3)
    }
  }

  func testStatisticsOfEachRankDiffer() throws {
    let models = try (0...1).map { _ in try ABIModel() }
    let trainers = try models.map { try trainer($0, Int(SKD_SUPERVISED)) }
    defer { for trainer in trainers { skd_trainer_free(trainer) } }
    let meeting = Meeting()
    let ranks = inTwoRanks { rank in
      let part = rank == 0 ? 0..<2 : 2..<5
      return self.step(trainers[rank], meeting.rank(rank), part, syncs: 0)
    }
    for rank in ranks { assertOK(rank.outcome.status) }
    for (first, second) in zip(models[0].entries, models[1].entries) {
      let bytes = [first, second].map {
        Array(UnsafeRawBufferPointer(start: $0.data, count: $0.byteCount))
      }
      XCTAssertEqual(bytes[0] == bytes[1], first.kind != Int32(SKD_BUFFER))
    }
  }

  func testAFunctionThatFailsEndsTheStepAndChangesNothing() throws {
    let model = try ABIModel()
    let trainer = try trainer(model, Int(SKD_GEN0))
    defer { skd_trainer_free(trainer) }
    let before = model.state
    for (change, message) in [
      ({ $0.sum = { _, _, _ in 3 } }, "share.sum of trainer_step must return 0; got 3"),
      ({ $0.begin_gradients = { _, _, _ in 4 } }, "share.begin_gradients of"),
      ({ $0.await_gradients = { _ in -1 } }, "share.await_gradients of"),
      (
        {
          $0.sum = { _, values, _ in
            values?.pointee = .nan
            return 0
          }
        }, "share.sum must give the sum over all processes; got nan kept values"
      ),
    ] as [((inout skd_batch_share) -> Void, String)] {
      let done = step(trainer, Meeting(ranks: 1).rank(0), 0..<2, change: change)
      XCTAssertEqual(done.outcome.status, skd_status(SKD_CALLBACK_FAILED))
      XCTAssertTrue(done.outcome.message.contains(message), done.outcome.message)
      XCTAssertEqual(done.losses.total, -5)
      XCTAssertEqual(model.state, before)
    }
    assertOK(step(trainer, Meeting(ranks: 1).rank(0), 0..<2).outcome.status)
  }

  func testBadSharesAreRefusedAndNamed() throws {
    let model = try ABIModel()
    let trainer = try trainer(model, Int(SKD_GEN0))
    defer { skd_trainer_free(trainer) }
    let before = model.state
    for (change, message) in [
      ({ $0.first = -1 }, "share.first of trainer_step must be in 0..."),
      ({ $0.first = .max }, "share.first of"),
      ({ $0.total = 1 }, "share.total of trainer_step must be in 2..."),
      ({ $0.total = .max }, "share.total of"),
      ({ $0.sync_batch_norm = 2 }, "share.sync_batch_norm of"),
      ({ $0.sum = nil }, "share.sum of trainer_step must not be NULL"),
      ({ $0.begin_gradients = nil }, "share.begin_gradients of"),
      ({ $0.await_gradients = nil }, "share.await_gradients of"),
    ] as [((inout skd_batch_share) -> Void, String)] {
      assertRefused(
        step(trainer, Meeting(ranks: 1).rank(0), 0..<2, change: change).outcome, message)
    }
    XCTAssertEqual(model.state, before)
  }

  func testWithoutAShareTheBatchIsWhole() throws {
    let models = try (0...1).map { _ in try ABIModel() }
    let trainers = try models.map { try trainer($0, Int(SKD_GEN0)) }
    defer { for trainer in trainers { skd_trainer_free(trainer) } }
    var (plain, shared) = (skd_losses(), skd_losses())
    var options = skd_step_options()
    assertOK(skd_trainer_step(trainers[0], images, labels, 5, nil, &plain))
    assertOK(skd_trainer_loss(trainers[1], images, labels, 5, &options, &shared))
    XCTAssertEqual(plain.total, shared.total)
    assertOK(skd_trainer_step(trainers[1], images, labels, 5, &options, &shared))
    XCTAssertEqual(models[0].state, models[1].state)
  }
}

extension ABIModel {
  /// All parameters and running statistics.
  fileprivate var floats: [Float] {
    entries.filter { $0.kind != Int32(SKD_COUNTER) }.flatMap { entry in
      let values = entry.data.assumingMemoryBound(to: Float.self)
      return (0..<entry.count).map { values[$0] }
    }
  }
}
