import SKDNN
import SKDTestSupport
import XCTest

final class LearningRateScheduleTests: XCTestCase {
  func testStepDropsAfterItsMilestone() {
    let schedule = LearningRateSchedule.step(base: 1, factor: 0.5, milestones: [2, 4, 4])
    XCTAssertEqual((1...6).map { schedule.rate(epoch: $0) }, [1, 1, 0.5, 0.5, 0.125, 0.125])
    XCTAssertEqual(
      LearningRateSchedule.step(base: 3, factor: 0.1, milestones: []).rate(epoch: 9), 3)
  }

  func testCosineFallsFromBaseToItsFloor() {
    let schedule = LearningRateSchedule.cosine(base: 1, factor: 0.5, epochs: 10)
    XCTAssertEqual(schedule.rate(epoch: 0), 1)
    XCTAssertEqual(schedule.rate(epoch: 5), 0.5625, accuracy: 1e-15)  // half-way to 1/8
    XCTAssertEqual(schedule.rate(epoch: 10), 0.125, accuracy: 1e-15)
  }

  func testOneCycleRisesAndFallsToItsFloor() {
    let schedule = OneCycleSchedule(base: 1, factor: 0.5, epochs: 10, warmup: 2)
    XCTAssertEqual([0, 0.5, 2].map { schedule.rate(progress: $0) }, [0, 0.25, 1])
    XCTAssertEqual(schedule.rate(progress: 6), 0.5625, accuracy: 1e-15)  // half-way to 1/8
    XCTAssertEqual(schedule.rate(progress: 10), 0.125, accuracy: 1e-15)
    let plain = OneCycleSchedule(base: 1, factor: 0.5, epochs: 10, warmup: 0)
    XCTAssertEqual(plain.rate(progress: 0), 1)
  }

  func testGoldenStepRates() throws {
    let fixture = try Fixture(named: "schedule")
    for index in 0..<(try fixture.integer("step.count")) {
      let (key, expected) = ("step\(index)", try fixture.floats("step\(index).lr"))
      let cfg = try fixture.floats(key + ".cfg")
      let schedule = LearningRateSchedule.step(
        base: Double(cfg[0]), factor: Double(cfg[1]),
        milestones: try fixture.integers(key + ".milestones"))
      for (i, rate) in expected.enumerated() {
        assertClose([Float(schedule.rate(epoch: i + 1))], [rate], relative: 1e-6, key)
      }
    }
  }

  func testGoldenCosineRates() throws {
    let fixture = try Fixture(named: "schedule")
    for index in 0..<(try fixture.integer("cosine.count")) {
      let (key, expected) = ("cosine\(index)", try fixture.floats("cosine\(index).lr"))
      let cfg = try fixture.floats(key + ".cfg")
      let schedule = LearningRateSchedule.cosine(
        base: Double(cfg[0]), factor: Double(cfg[1]), epochs: expected.count)
      for (i, rate) in expected.enumerated() {
        assertClose([Float(schedule.rate(epoch: i + 1))], [rate], relative: 1e-6, key)
      }
    }
  }
}
