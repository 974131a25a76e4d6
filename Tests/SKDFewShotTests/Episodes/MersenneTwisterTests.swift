import SKDFewShot
import SKDTestSupport
import XCTest

final class MersenneTwisterTests: XCTestCase {
  func testWordsAndPermutationsMatchNumPy() throws {
    let fixture = try Fixture(named: "episodes")
    let prefix = "mt19937.seed"
    let seeds = fixture.keys.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }
    XCTAssertFalse(seeds.isEmpty)
    for seed in seeds {
      let value = try XCTUnwrap(UInt32(seed))
      let words = try fixture.integers(prefix + seed)
      var random = MersenneTwister(seed: value)
      XCTAssertEqual(words.map { _ in Int(random.nextWord()) }, words, "seed \(seed)")
      let permutation = try fixture.integers("permutation.seed\(seed)")
      random = MersenneTwister(seed: value)
      XCTAssertEqual(random.permutation(permutation.count), permutation, "seed \(seed)")
    }
  }

  /// The standard's own check value: the 10000th word after seed 5489 (C++ [rand.predef]).
  func testTenThousandthWordOfTheDefaultSeed() {
    var random = MersenneTwister(seed: 5489)
    for _ in 0..<9_999 { _ = random.nextWord() }
    XCTAssertEqual(random.nextWord(), 4_123_659_995)
  }

  func testIntervalStaysInRangeAndZeroDrawsNothing() {
    var random = MersenneTwister(seed: 1)
    let untouched = random
    XCTAssertEqual(random.interval(through: 0), 0)
    var copy = untouched
    XCTAssertEqual(random.nextWord(), copy.nextWord())
    for maximum in [1, 2, 3, 4, 127, 128, UInt32.max] {
      for _ in 0..<50 { XCTAssertLessThanOrEqual(random.interval(through: maximum), maximum) }
    }
    XCTAssertEqual(random.permutation(0), [])
    XCTAssertEqual(random.permutation(1), [0])
  }
}
