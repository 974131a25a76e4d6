import CSKD
import SKDABI
import SKDTestSupport
import XCTest

/// Velocities, step count and last losses of the trainers of skd.h.
final class TrainerStateABITests: XCTestCase {
  private let images = ABIModel.images(3)
  private let labels: [Int64] = [0, 1, 2]

  /// A trainer of generation 0, released at the end of `body`.
  private func withTrainer(of model: ABIModel, _ body: (OpaquePointer) throws -> Void) throws {
    var config = skd_trainer_config()
    config.objective = Int32(SKD_GEN0)
    config.rotation_weight = 2
    config.learning_rate = 0.1
    config.momentum = 0.9
    config.weight_decay = 5e-4
    var trainer: OpaquePointer?
    assertOK(skd_trainer_create(model.handle, nil, &config, &trainer))
    let created = try XCTUnwrap(trainer)
    defer { skd_trainer_free(created) }
    try body(created)
  }

  private func step(_ trainer: OpaquePointer) -> skd_losses {
    var losses = skd_losses()
    assertOK(skd_trainer_step(trainer, images, labels, 3, nil, &losses))
    return losses
  }

  /// The velocities in C order of their shapes, empty for what is no parameter.
  private func velocities(_ trainer: OpaquePointer, of model: ABIModel) -> [[Float]] {
    model.entries.enumerated().map { index, entry in
      var velocity: UnsafePointer<Float>?
      assertOK(skd_trainer_get_velocity(trainer, Int64(index), &velocity))
      XCTAssertEqual(velocity != nil, entry.kind == Int32(SKD_PARAMETER))
      guard let velocity else { return [] }
      return inCOrder(velocity, entry)
    }
  }

  private func inCOrder(_ values: UnsafePointer<Float>, _ entry: skd_state_entry) -> [Float] {
    let (shape, strides) = (entry.shape, entry.strides)
    let extents = [shape.0, shape.1, shape.2, shape.3].prefix(Int(entry.dimensions))
    let steps = [strides.0, strides.1, strides.2, strides.3]
    return (0..<entry.count).map { position in
      var (rest, offset) = (position, 0)
      for axis in extents.indices.reversed() {
        offset += rest % Int(extents[axis]) * Int(steps[axis])
        rest /= Int(extents[axis])
      }
      return values[offset]
    }
  }

  private func load(
    _ trainer: OpaquePointer, _ velocities: [[Float]], count: Int? = nil, step: Int64
  ) -> Outcome {
    let arrays = velocities.map { values in
      let copy = UnsafeMutablePointer<Float>.allocate(capacity: max(values.count, 1))
      for (i, value) in values.enumerated() { copy[i] = value }
      return copy
    }
    defer { for array in arrays { array.deallocate() } }
    let pointers = zip(arrays, velocities).map { array, values in
      values.isEmpty ? nil : UnsafePointer(array)
    }
    return Outcome(skd_trainer_load(trainer, pointers, Int64(count ?? pointers.count), step))
  }

  func testALoadedTrainerTakesTheStepsOfTheSavedOne() throws {
    let (model, other) = (try ABIModel(), try ABIModel())
    try withTrainer(of: model) { steady in
      try withTrainer(of: other) { resumed in
        XCTAssertTrue(velocities(steady, of: model).joined().allSatisfy { $0 == 0 })
        for trainer in [steady, resumed] { _ = step(trainer) }
        let saved = velocities(steady, of: model)
        XCTAssertFalse(saved.joined().allSatisfy { $0 == 0 })
        let zeros = saved.map { $0.map { _ in Float(0) } }
        assertOK(load(resumed, zeros, step: 0).status)
        XCTAssertEqual(velocities(resumed, of: other), zeros)
        assertOK(load(resumed, saved, step: 1).status)
        XCTAssertEqual(step(steady).total, step(resumed).total)
        XCTAssertEqual(model.state, other.state)
        XCTAssertEqual(velocities(steady, of: model), velocities(resumed, of: other))
      }
    }
  }

  func testWrongStatesAreNamedAndChangeNothing() throws {
    let model = try ABIModel()
    try withTrainer(of: model) { trainer in
      _ = step(trainer)
      let saved = velocities(trainer, of: model)
      var (bad, absent) = (saved, saved)
      bad[0][1] = .nan
      absent[0] = []
      for (outcome, message) in [
        (load(trainer, saved, step: -1), "step of trainer_load"),
        (load(trainer, saved, step: 1 << 50), "step of trainer_load"),
        (load(trainer, saved, count: 3, step: 1), "count of trainer_load"),
        (load(trainer, bad, step: 1), "must be finite; got nan at index 1"),
        (load(trainer, absent, step: 1), "must not be NULL"),
      ] {
        assertRefused(outcome, message)
      }
      assertRefused(skd_trainer_load(trainer, nil, 1, 1), "velocities of trainer_load")
      assertRefused(skd_trainer_load(nil, nil, 1, 1), "trainer of trainer_load")
      var velocity: UnsafePointer<Float>?
      assertRefused(skd_trainer_get_velocity(trainer, -1, &velocity), "index of")
      assertRefused(skd_trainer_get_velocity(trainer, 0, nil), "velocity of")
      assertRefused(skd_trainer_get_losses(trainer, nil), "losses of")
      XCTAssertEqual(velocities(trainer, of: model), saved)
      var steps: Int64 = 0
      assertOK(skd_trainer_get_step(trainer, &steps))
      XCTAssertEqual(steps, 1)
    }
  }

  func testTheTermsOfARefusedStepCanBeRead() throws {
    try withTrainer(of: try ABIModel()) { trainer in
      var losses = skd_losses()
      let total = step(trainer).total
      assertOK(skd_trainer_get_losses(trainer, &losses))
      XCTAssertEqual(losses.total, total)
      let huge = images.map { 1e25 * $0 }
      var unused = skd_losses()
      XCTAssertEqual(
        skd_trainer_step(trainer, huge, labels, 3, nil, &unused), skd_status(SKD_NON_FINITE))
      assertOK(skd_trainer_get_losses(trainer, &losses))
      XCTAssertFalse(losses.total.isFinite)
    }
  }
}
