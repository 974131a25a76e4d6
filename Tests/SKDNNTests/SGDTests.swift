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
    XCTAssertTrue(optimizer.gradientsAreFinite())
    for value in [Float.nan, .infinity, -.infinity] {
      let before = store.entries[2].gradient[4]
      store.entries[2].gradient[4] = value
      XCTAssertFalse(optimizer.gradientsAreFinite())
      store.entries[2].gradient[4] = before
    }
    XCTAssertTrue(optimizer.gradientsAreFinite())
  }

  func testBadOptionsAreNamed() throws {
    let store = try store()
    for (rate, momentum, decay, message) in [
      (-1, 0, 0, "learning_rate of SGD must be finite and >= 0; got -1.0"),
      (.nan, 0, 0, "learning_rate"), (1, 1, 0, "momentum of SGD must be in [0, 1); got 1.0"),
      (1, -0.1, 0, "momentum"), (1, .nan, 0, "momentum"), (1, 0, -1, "weight_decay of SGD"),
      (1, 0, .infinity, "weight_decay"),
    ] as [(Float, Float, Float, String)] {
      XCTAssertThrowsError(
        try SGD(store, learningRate: rate, momentum: momentum, weightDecay: decay)
      ) { XCTAssertTrue("\($0)".contains(message), "\($0)") }
    }
  }
}
