import SKDFewShot
import XCTest

/// Episodes with random proportions of queries, ranges of classes and support images, and unknown
/// classes.
final class UnevenEpisodeTests: XCTestCase {
  /// 12 classes of 90 images.
  private let labels = (0..<12 * 90).map { $0 % 12 }

  private func sampler(
    ways: ClosedRange<Int> = 5...5, shots: ClosedRange<Int> = 2...2, queries: Int = 15,
    unknownWays: Int = 0, concentration: Double? = nil, seed: UInt64 = 3
  ) throws -> EpisodeSampler {
    let distribution = concentration.map { QueryDistribution.dirichlet(concentration: $0) }
    let options = EpisodeOptions(
      ways: ways, shots: shots, queries: queries, unknownWays: unknownWays,
      queryDistribution: distribution ?? .uniform)
    return try EpisodeSampler(labels: labels, options: options, generator: .seeded(seed))
  }

  func testRandomProportionsKeepTheSupportAndTheNumberOfQueries() throws {
    let (balanced, random) = (try sampler(), try sampler(concentration: 2))
    for number in 0..<200 {
      let (one, other) = (balanced.episode(number), random.episode(number))
      XCTAssertEqual(one.classes, other.classes)
      XCTAssertEqual(one.support, other.support)
      XCTAssertEqual(other.query.joined().count, 75)
      for (way, images) in other.query.enumerated() {
        XCTAssertTrue(images.allSatisfy { labels[$0] == other.classes[way] })
        XCTAssertEqual(Set(images + other.support[way]).count, images.count + 2)
        let shared = min(15, images.count)
        XCTAssertEqual(images.prefix(shared), one.query[way].prefix(shared))
      }
    }
  }

  /// A proportion of the symmetric Dirichlet distribution of K classes has mean 1 / K and variance
  /// (1 / K) (1 - 1 / K) / (K a + 1). Rounding to 75 parts adds at most 1 / (4 · 75²).
  func testProportionsHaveTheMomentsOfTheDirichletDistribution() throws {
    for concentration in [0.3, 1, 2, 50] {
      let sampler = try sampler(concentration: concentration)
      let shares = (0..<4_000).flatMap { number in
        sampler.episode(number).query.map { Double($0.count) / 75 }
      }
      let variance = shares.reduce(0) { $0 + ($1 - 0.2) * ($1 - 0.2) } / Double(shares.count)
      let expected = 0.2 * 0.8 / (5 * concentration + 1)
      XCTAssertEqual(mean(of: shares), 0.2, accuracy: 1e-12)
      XCTAssertEqual(variance, expected, accuracy: 0.05 * expected + 1.0 / (4 * 75 * 75))
    }
  }

  func testExtremeConcentrationsGiveOneClassOrAllEqually() throws {
    let (single, equal) = (try sampler(concentration: 1e-3), try sampler(concentration: 1e6))
    for number in 0..<100 {
      XCTAssertEqual(single.episode(number).query.map(\.count).max(), 75)
      XCTAssertEqual(equal.episode(number).query.map(\.count), [15, 15, 15, 15, 15])
    }
  }

  func testEveryNumberOfARangeIsEquallyLikely() throws {
    let sampler = try sampler(ways: 5...8, shots: 1...3)
    var (ways, shots) = ([Int](repeating: 0, count: 9), [Int](repeating: 0, count: 4))
    for number in 0..<6_000 {
      let extent = sampler.options.extent(of: number, sampler.generator)
      ways[extent.ways] += 1
      shots[extent.shots] += 1
    }
    // Within five standard deviations of a binomial.
    XCTAssertTrue(ways[5...].allSatisfy { (1_332...1_668).contains($0) }, "\(ways)")
    XCTAssertTrue(shots[1...].allSatisfy { (1_818...2_182).contains($0) }, "\(shots)")
    for number in 0..<50 {
      let (episode, extent) = (
        sampler.episode(number), sampler.options.extent(of: number, sampler.generator)
      )
      XCTAssertEqual(episode.classes.count, extent.ways)
      XCTAssertTrue(episode.support.allSatisfy { $0.count == extent.shots })
      XCTAssertEqual(episode.query.map(\.count), [Int](repeating: 15, count: extent.ways))
    }
  }

  func testUnknownClassesComeBehindTheEpisodeWithoutThem() throws {
    let (closed, open) = (try sampler(), try sampler(unknownWays: 4))
    for number in 0..<50 {
      let (one, other) = (closed.episode(number), open.episode(number))
      XCTAssertEqual(Array(other.classes.prefix(5)), one.classes)
      XCTAssertEqual(other.support, one.support)
      XCTAssertEqual(Array(other.query.prefix(5)), one.query)
      XCTAssertEqual(Set(other.classes).count, 9)
      XCTAssertEqual(other.query.map(\.count), [Int](repeating: 15, count: 9))
    }
  }

  func testEpisodesDependOnSeedAndNumberAlone() throws {
    let sampler = try sampler(ways: 2...9, shots: 1...5, queries: 7, concentration: 0.5)
    let other = try self.sampler(ways: 2...9, shots: 1...5, queries: 7, concentration: 0.5, seed: 4)
    let episodes = (0..<30).map { sampler.episode($0) }
    XCTAssertEqual((0..<30).reversed().map { sampler.episode($0) }, episodes.reversed())
    XCTAssertNotEqual((0..<30).map { other.episode($0) }, episodes)
  }

  func testTooFewClassesOrImagesForTheLargestEpisodeAreNamed() {
    XCTAssertThrowsError(try sampler(ways: 5...10, unknownWays: 3)) {
      XCTAssertTrue("\($0)".contains("ways + unknownWays"), "\($0)")
    }
    XCTAssertThrowsError(try sampler(ways: 5...6, concentration: 2)) {
      XCTAssertTrue("\($0)".contains("shots + ways * queries"), "\($0)")
    }
    XCTAssertNoThrow(try sampler(ways: 5...6))
  }
}
