import CSKD
import SKDABI
import SKDTestSupport
import Synchronization
import XCTest

/// Who sees which state of a model while threads share it.
final class ModelLockABITests: XCTestCase {
  private let images = ABIModel.images(3)
  private let labels: [Int64] = [0, 1, 2]

  private func trainer(_ model: ABIModel) throws -> OpaquePointer {
    var config = skd_trainer_config()
    config.objective = Int32(SKD_SUPERVISED)
    config.learning_rate = 0.1
    var trainer: OpaquePointer?
    assertOK(skd_trainer_create(model.handle, nil, &config, &trainer))
    return try XCTUnwrap(trainer)
  }

  /// A model that is loaded from its own memory gets what was there before.
  func testLoadTakesTheModelsOwnMemoryInAnotherOrder() throws {
    let model = try ABIModel()
    let (trainer, other) = (try trainer(model), try ABIModel(seed: 2))
    defer { skd_trainer_free(trainer) }
    var losses = skd_losses()
    assertOK(skd_trainer_step(trainer, images, labels, 3, nil, &losses))
    let entries = model.entries
    let vectors = entries.indices.filter { entries[$0].dimensions == 1 && entries[$0].count == 4 }
    let (a, b) = (try XCTUnwrap(vectors.first), try XCTUnwrap(vectors.last))
    let before = model.state
    XCTAssertNotEqual(before[a], before[b])
    // Convolution weights are stored in another order than loaded: those of another model serve.
    var arrays: [UnsafeRawPointer?] = other.entries.map(\.data)
    for number in vectors { arrays[number] = entries[number].data }
    arrays.swapAt(a, b)
    assertOK(skd_model_load(model.handle, arrays, Int64(arrays.count)))
    XCTAssertEqual(model.state[a], before[b])
    XCTAssertEqual(model.state[b], before[a])
  }

  func testALockedModelWaitsForItsThreadAlone() throws {
    let model = try ABIModel()
    let (handle, images) = (model.handle, images)
    for _ in 0..<2 { assertOK(skd_model_lock(handle)) }
    let logits = model.logits(images)  // this thread goes on
    let (hasEnded, ended) = (Flag(), DispatchSemaphore(value: 0))
    nonisolated(unsafe) let shared = handle
    Thread.detachNewThread {
      var logits = [Float](repeating: 0, count: 9)
      assertOK(skd_model_evaluate(shared, images, 3, nil, &logits, nil))
      hasEnded.set()
      ended.signal()
    }
    for _ in 0..<20 {
      XCTAssertEqual(model.logits(images), logits)
      XCTAssertFalse(hasEnded.isSet)
    }
    skd_model_unlock(handle)
    XCTAssertEqual(model.logits(images), logits)
    XCTAssertFalse(hasEnded.isSet)
    skd_model_unlock(handle)
    ended.wait()
    skd_model_unlock(handle)  // once too often is a no-op
    skd_model_unlock(nil)
    assertRefused(skd_model_lock(nil), "model of model_lock must not be NULL")
    XCTAssertEqual(model.logits(images), logits)
  }

  func testATrainersLockIsThatOfBothModels() throws {
    let (student, teacher) = (try ABIModel(), try ABIModel(seed: 2))
    var config = skd_trainer_config()
    config.objective = Int32(SKD_GEN1)
    (config.twin_weight, config.temperature, config.twin_180) = (0.1, 4, 1)
    var created: OpaquePointer?
    assertOK(skd_trainer_create(student.handle, teacher.handle, &config, &created))
    let trainer = try XCTUnwrap(created)
    defer { skd_trainer_free(trainer) }
    for model in [student, teacher] {
      assertOK(skd_trainer_lock(trainer))
      let (hasEnded, ended) = (Flag(), DispatchSemaphore(value: 0))
      nonisolated(unsafe) let shared = model.handle
      Thread.detachNewThread {
        assertOK(skd_model_lock(shared))
        hasEnded.set()
        skd_model_unlock(shared)
        ended.signal()
      }
      var losses = skd_losses()
      assertOK(skd_trainer_step(trainer, images, labels, 3, nil, &losses))
      XCTAssertFalse(hasEnded.isSet)
      skd_trainer_unlock(trainer)
      ended.wait()
    }
    assertRefused(skd_trainer_lock(nil), "trainer of trainer_lock must not be NULL")
  }

  /// A thread that asks again and again does not keep another from its turn.
  func testThreadsGetAModelInTheOrderInWhichTheyAsk() throws {
    let model = try ABIModel()
    let (handle, images) = (model.handle, images)
    nonisolated(unsafe) let shared = handle
    let (mayEnd, ended) = (Flag(), DispatchSemaphore(value: 0))
    Thread.detachNewThread {
      var logits = [Float](repeating: 0, count: 9)
      while !mayEnd.isSet {
        assertOK(skd_model_evaluate(shared, images, 3, nil, &logits, nil))
      }
      ended.signal()
    }
    for _ in 0..<50 { _ = model.logits(images) }  // a starved thread would take minutes
    mayEnd.set()
    ended.wait()
  }

  /// It reads the state before the step.
  func testATermsFunctionMayLockItsOwnModel() throws {
    final class Context {
      var (trainer, model): (OpaquePointer?, OpaquePointer?)
      var statuses: [skd_status] = []
      var gradient = [Float](repeating: 0.5, count: 9)
    }
    let model = try ABIModel()
    let trainer = try trainer(model)
    defer { skd_trainer_free(trainer) }
    let context = Context()
    (context.trainer, context.model) = (trainer, model.handle)
    var losses = skd_losses()
    for _ in 0..<2 {
      let status = "reader".withCString { name in
        var term = skd_term(
          name: name, reads: Int32(SKD_TERM_LOGITS), weight: 1,
          function: { pointer, _, value, gradient in
            guard let pointer else { return 1 }
            let context = Unmanaged<Context>.fromOpaque(pointer).takeUnretainedValue()
            context.statuses = [skd_trainer_lock(context.trainer), skd_model_lock(context.model)]
            skd_model_unlock(context.model)
            skd_trainer_unlock(context.trainer)
            value?.pointee = 0
            // The array lives, and does not move, until the test ends.
            context.gradient.withUnsafeBufferPointer { gradient?.pointee = $0.baseAddress }
            return 0
          }, context: Unmanaged.passUnretained(context).toOpaque())
        return withUnsafePointer(to: &term) { term in
          var options = skd_step_options()
          (options.terms, options.term_count) = (term, 1)
          return skd_trainer_step(trainer, images, labels, 3, &options, &losses)
        }
      }
      assertOK(status)
      XCTAssertEqual(context.statuses, [skd_status(SKD_OK), skd_status(SKD_OK)])
    }
  }
}

private final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  var isSet: Bool { value.load(ordering: .acquiring) }

  func set() { value.store(true, ordering: .releasing) }
}
