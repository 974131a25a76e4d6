import SKDFewShot
import SKDRuntime
import SKDTestSupport
import XCTest

final class EpisodeSamplerTests: XCTestCase {
  /// `episodes.npz`, drawn with NumPy: exact.
  func testLegacyEpisodesMatchNumPy() throws {
    let fixture = try Fixture(named: "episodes")
    let items = try fixture.integers("items")
    for kind in ["sorted", "mixed"] {
      let labels = try fixture.integers("\(kind).labels")
      for shots in [1, 5] {
        let key = "\(kind).\(shots)shot"
        let options = EpisodeOptions(
          ways: try fixture.shape("\(key).support")[1], shots: shots,
          queries: try fixture.shape("\(key).query")[2])
        let sampler = try EpisodeSampler(labels: labels, options: options, generator: .legacy)
        let episodes = items.map { sampler.episode($0) }
        XCTAssertEqual(
          episodes.flatMap(\.classes), try fixture.integers("\(key).class_label"), key)
        XCTAssertEqual(
          episodes.flatMap { $0.support.joined() },
          try fixture.integers("\(key).support_dataset"), key)
        XCTAssertEqual(
          episodes.flatMap { $0.query.joined() }, try fixture.integers("\(key).query_dataset"), key)
      }
    }
  }

  /// Labels 7, -1, 5 of 4, 5 and 6 images, mixed.
  private let labels = [7, -1, 5, 5, -1, 7, 5, -1, 7, 5, 7, 5, -1, -1, 5]

  func testEpisodesHoldDifferentImagesOfTheirClasses() throws {
    for generator in [EpisodeSampler.Generator.legacy, .seeded(3)] {
      let options = EpisodeOptions(ways: 2, shots: 1, queries: 3)
      let sampler = try EpisodeSampler(labels: labels, options: options, generator: generator)
      for number in 0..<50 {
        let episode = sampler.episode(number)
        XCTAssertEqual(Set(episode.classes).count, 2)
        for way in 0..<2 {
          XCTAssertEqual(episode.support[way].count, 1)
          XCTAssertEqual(episode.query[way].count, 3)
          let images = episode.support[way] + episode.query[way]
          XCTAssertEqual(Set(images).count, 4)
          XCTAssertTrue(images.allSatisfy { labels[$0] == episode.classes[way] })
        }
      }
    }
  }

  func testSeededEpisodesDependOnSeedAndNumberAlone() throws {
    let options = EpisodeOptions(ways: 3, shots: 1, queries: 2)
    let sampler = try EpisodeSampler(labels: labels, options: options, generator: .seeded(3))
    let other = try EpisodeSampler(labels: labels, options: options, generator: .seeded(4))
    let episodes = (0..<20).map { sampler.episode($0) }
    XCTAssertEqual((0..<20).reversed().map { sampler.episode($0) }, episodes.reversed())
    XCTAssertNotEqual((0..<20).map { other.episode($0) }, episodes)
    XCTAssertNotEqual(episodes[0], episodes[1])
  }

  func testSeededEpisodesDrawEveryImageEquallyOften() throws {
    let labels = (0..<12).map { $0 / 4 }  // 3 classes of 4 images
    let options = EpisodeOptions(ways: 1, shots: 1, queries: 1)
    let sampler = try EpisodeSampler(labels: labels, options: options, generator: .seeded(0))
    var (support, query) = ([Int](repeating: 0, count: 12), [Int](repeating: 0, count: 12))
    for number in 0..<12_000 {
      let episode = sampler.episode(number)
      support[episode.support[0][0]] += 1
      query[episode.query[0][0]] += 1
    }
    // 1000 within five standard deviations of a binomial.
    XCTAssertTrue(
      (support + query).allSatisfy { (848...1_152).contains($0) }, "\(support) \(query)")
  }

  func testTooFewClassesOrImagesAreNamed() {
    XCTAssertThrowsError(
      try EpisodeSampler(
        labels: labels, options: EpisodeOptions(ways: 4, shots: 1, queries: 1), generator: .legacy)
    ) {
      XCTAssertEqual(
        ($0 as? SKDError)?.message,
        "ways of EpisodeSampler must be at most the number of classes, 3; got 4")
    }
    XCTAssertThrowsError(
      try EpisodeSampler(
        labels: labels, options: EpisodeOptions(ways: 2, shots: 2, queries: 3),
        generator: .seeded(0))
    ) {
      XCTAssertEqual(
        ($0 as? SKDError)?.message,
        "shots + queries of EpisodeSampler must be at most the number of images of class 7, 4; "
          + "got 5")
    }
  }
}
