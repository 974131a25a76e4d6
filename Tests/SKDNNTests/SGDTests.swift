import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDNN

final class SGDTests: XCTestCase {
  private let names = ["first", "second", "third"]

  /// Three parameters; the second has no gradient.
  private func store() throws -> ParameterStore {
    let store = try ParameterStore()
    for (name, count) in zip(names, [3, 40, 5]) {
      _ = store.vector(name, count: count, initializer: .uniform(bound: 1))
    }
    try store.allocate(seed: 1)
    for entry in store.entries {
      let gradient = fill("d\(entry.name)", shape: entry.shape, seed: 1)
      for (i, value) in gradient.enumerated() { entry.gradient[i] = value }
      entry.hasGradient = entry.name != "second"
    }
    return store
  }

  /// v = 0.9 v + g + 0.01 p;  p -= rate v, of which two rates are taken. The few roundings of each
  /// step are some 1e-7 relative.
  func testStepsFollowTheFormula() throws {
    let store = try store()
    let optimizer = try SGD(store, learningRate: 0.5, momentum: 0.9, weightDecay: 0.01)
    var expected = store.entries.map { $0.storedValues.map(Double.init) }
    var velocity = expected.map { $0.map { _ in 0.0 } }
    for rate in [0.5, 0.05, 0.05] {
      optimizer.learningRate = Float(rate)
      let version = store.version
      optimizer.step()
      XCTAssertGreaterThan(store.version, version, "folded weights must be made anew")
      for (n, entry) in store.entries.enumerated() where entry.hasGradient {
        for i in 0..<entry.count {
          velocity[n][i] =
            0.9 * velocity[n][i] + Double(entry.gradient[i]) + 0.01 * expected[n][i]
          expected[n][i] -= rate * velocity[n][i]
        }
      }
    }
    for (entry, expected) in zip(store.entries, expected) where entry.hasGradient {
      assertClose(entry.storedValues, expected.map(Float.init), relative: 1e-6, entry.name)
    }
  }

  func testParameterWithoutGradientIsLeftAloneAndKeepsItsVelocity() throws {
    let (store, reference) = (try store(), try store())
    let optimizer = try SGD(store, learningRate: 0.5, momentum: 0.9, weightDecay: 0.01)
    let start = store.entries.map(\.storedValues)
    optimizer.step()
    XCTAssertEqual(store.entries[1].storedValues, start[1])
    XCTAssertNotEqual(store.entries[0].storedValues, start[0])
    XCTAssertNotEqual(store.entries[2].storedValues, start[2])
    // Its first step comes later and is that of a fresh optimiser.
    for entry in store.entries { entry.hasGradient = entry.name == "second" }
    for entry in reference.entries { entry.hasGradient = entry.name == "second" }
    optimizer.step()
    try SGD(reference, learningRate: 0.5, momentum: 0.9, weightDecay: 0.01).step()
    XCTAssertEqual(store.entries[1].storedValues, reference.entries[1].storedValues)
  }

  func testOnlyGradientsInUseMustBeFinite() throws {
    let store = try store()
    let optimizer = try SGD(store, learningRate: 0.5, momentum: 0.9, weightDecay: 0)
    store.entries[1].gradient[7] = .nan
    XCTAssertTrue(optimizer.largestGradient().isFinite)
    for value in [Float.nan, .infinity, -.infinity] {
      let before = store.entries[2].gradient[4]
      store.entries[2].gradient[4] = value
      XCTAssertFalse(optimizer.largestGradient().isFinite)
      store.entries[2].gradient[4] = before
    }
    XCTAssertTrue(optimizer.largestGradient().isFinite)
  }

  func testAStepThatWouldOverflowIsForeseenAndChangesNothing() throws {
    for (rate, momentum, decay, isFinite) in [
      (0.1, 0.9, 0, true), (3e38, 0, 0, true), (3e38, 0, 10, false), (0, 0, 3e38, true),
      (1, 0, 3e38, true), (3, 0, 3e38, false), (0, 0.9, 3.4e38, true),
    ] as [(Float, Float, Float, Bool)] {
      let store = try store()
      let optimizer = try SGD(
        store, learningRate: rate, momentum: momentum, weightDecay: decay)
      let before = store.entries.map(\.storedValues)
      let foreseen = optimizer.stepIsFinite(largestGradient: optimizer.largestGradient())
      XCTAssertEqual(store.entries.map(\.storedValues), before)
      optimizer.step()
      let came = store.entries.allSatisfy { entry in
        let velocity = UnsafeBufferPointer(start: optimizer.velocity(of: entry), count: entry.count)
        return entry.storedValues.allSatisfy(\.isFinite) && velocity.allSatisfy(\.isFinite)
      }
      XCTAssertEqual(foreseen, came, "rate \(rate), momentum \(momentum), decay \(decay)")
      XCTAssertEqual(foreseen, isFinite, "rate \(rate), momentum \(momentum), decay \(decay)")
    }
  }

  /// What is known from the step before does not hide what came from elsewhere since.
  func testAnOverflowIsForeseenAfterParametersOrVelocitiesWereReplaced() throws {
    let store = try store()
    let optimizer = try SGD(store, learningRate: 1, momentum: 0.9, weightDecay: 0.5)
    func isFinite() -> Bool {
      optimizer.stepIsFinite(largestGradient: optimizer.largestGradient())
    }
    XCTAssertTrue(isFinite())
    optimizer.step()
    optimizer.setVelocity(of: store.entries[0], to: [3.4e38, 0, -3.4e38])
    XCTAssertTrue(isFinite())  // 0.9 of that still fits, beside parameters near 1
    optimizer.learningRate = 2
    XCTAssertFalse(isFinite())
    optimizer.setVelocity(of: store.entries[0], to: [0, 0, 0])
    XCTAssertTrue(isFinite())
    optimizer.step()
    store.entries[0].values[1] = 3.4e38
    store.markChanged()
    optimizer.learningRate = 5  // 3.4e38 - 5 * 1.7e38 = -5.1e38
    XCTAssertFalse(isFinite())
    store.entries[0].values[1] = 1
    store.markChanged()
    XCTAssertTrue(isFinite())
  }

  /// Bounds that grow from step to step are measured anew before they refuse anything.
  func testBoundsThatGrowTooWideRefuseNoStep() throws {
    let store = try store()
    let optimizer = try SGD(store, learningRate: 1, momentum: 0, weightDecay: 1)
    for entry in store.entries { for i in 0..<entry.count { entry.gradient[i] = 0 } }
    // Parameters become 0 in the first step, while the bound doubles in each.
    for _ in 0..<300 {
      XCTAssertTrue(optimizer.stepIsFinite(largestGradient: optimizer.largestGradient()))
      optimizer.step()
    }
  }

  func testBadOptionsAreNamed() throws {
    let store = try store()
    for (rate, momentum, decay, message) in [
      (-1, 0, 0, "learningRate of SGD must be finite and >= 0; got -1.0"),
      (.nan, 0, 0, "learningRate"), (1, 1, 0, "momentum of SGD must be in [0, 1); got 1.0"),
      (1, -0.1, 0, "momentum"), (1, .nan, 0, "momentum"), (1, 0, -1, "weightDecay of SGD"),
      (1, 0, .infinity, "weightDecay"),
    ] as [(Float, Float, Float, String)] {
      XCTAssertThrowsError(
        try SGD(store, learningRate: rate, momentum: momentum, weightDecay: decay)
      ) { assertRefused($0, message) }
    }
  }
}
