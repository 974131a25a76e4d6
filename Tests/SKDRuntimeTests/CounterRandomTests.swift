import SKDRuntime
import XCTest

final class CounterRandomTests: XCTestCase {
  func testPhiloxMatchesKnownAnswers() {
    // From the authors' known-answer tests (Random123).
    XCTAssertEqual(
      philox4x32(counter: .zero, key: .zero),
      [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    XCTAssertEqual(
      philox4x32(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max)),
      [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    XCTAssertEqual(
      philox4x32(
        counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
        key: [0xa409_3822, 0x299f_31d0]),
      [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  func testWordsAreTheBlocksInOrder() {
    let random = CounterRandom(seed: 3, purpose: .shuffle, step: 2, index: 1)
    for position in 0..<32 {
      XCTAssertEqual(random.word(at: position), random.words(at: position / 4)[position % 4])
    }
  }

  func testSixteenBlocksAtOnceAreTheSameWords() {
    let random = CounterRandom(seed: 0xFEDC_BA98_7654_3210, purpose: .dropout, step: 9, index: 4)
    for first in [0, 5, (1 << 32) - 7] {  // the last wraps around
      let (w0, w1, w2, w3) = random.wordsOf16Blocks(from: first)
      for lane in 0..<16 {
        XCTAssertEqual([w0[lane], w1[lane], w2[lane], w3[lane]], random.words(at: first + lane))
      }
    }
  }

  func testEveryPartOfTheAddressChangesTheStream() {
    let streams = [
      CounterRandom(seed: 1, purpose: .dropout, step: 1, index: 1),
      CounterRandom(seed: 2, purpose: .dropout, step: 1, index: 1),
      CounterRandom(seed: 1 + 1 << 32, purpose: .dropout, step: 1, index: 1),
      CounterRandom(seed: 1, purpose: .dropBlock, step: 1, index: 1),
      CounterRandom(seed: 1, purpose: .dropout, step: 2, index: 1),
      CounterRandom(seed: 1, purpose: .dropout, step: 1 + 1 << 32, index: 1),
      CounterRandom(seed: 1, purpose: .dropout, step: 1, index: 2),
    ]
    XCTAssertEqual(Set(streams.map { $0.words(at: 0) }).count, streams.count)
  }

  func testUniformNumbersFillTheUnitInterval() {
    let random = CounterRandom(seed: 4, purpose: .initialization)
    let numbers = (0..<10_000).map { random.uniform(at: $0) }
    XCTAssertTrue(numbers.allSatisfy { (0..<1).contains($0) })
    let mean = numbers.reduce(0, +) / 10_000
    XCTAssertEqual(mean, 0.5, accuracy: 0.015)  // five standard deviations
    XCTAssertEqual(unitInterval(.max), 1 - 0x1p-24)
    XCTAssertEqual(unitInterval(0), 0)
  }

  func testIntegersStayBelowTheirBoundAndReachAll() {
    let random = CounterRandom(seed: 5, purpose: .episodes)
    for bound in [1, 2, 7, 100] {
      let drawn = Set((0..<2_000).map { random.integer(below: bound, at: $0) })
      XCTAssertEqual(drawn, Set(0..<bound))
    }
  }
}
