import SKDFewShot
import SKDTestSupport
import XCTest

/// scikit-learn's heads on the features of `classifier.npz`, stored in `heads.npz`.
final class HeadGoldenTests: XCTestCase {
  /// Generated once: an unoptimised build takes seconds for it.
  private static let episodes = Result {
    let heads = try Fixture(named: "heads")
    let fixture = try Fixture(named: "classifier")
    return try heads.integers("episodes").map {
      (key: "episode\($0)", try SyntheticEpisode($0, of: fixture))
    }
  }

  /// 1e-4: what float32 leaves of stored values, and scikit-learn's solver of a tolerance.
  func testCoefficientsAreThoseOfScikitLearn() throws {
    let heads = try Fixture(named: "heads")
    for (key, episode) in try Self.episodes.get() {
      let width = SyntheticEpisode.dimensions
      let ridge = try RidgeClassifier(
        rows: episode.supportRows, dimensions: width, classes: episode.ways)
      ridge.fit(episode.support, labels: episode.supportLabels, alpha: 1)
      let svc = try LinearSVC(rows: episode.supportRows, dimensions: width, classes: episode.ways)
      _ = svc.fit(episode.support, labels: episode.supportLabels)
      for (name, solution) in [("ridge", LinearSolution(ridge)), ("svc", LinearSolution(svc))] {
        let what = "\(key).\(name)"
        let coefficients = solution.coefficients.map(Float.init)
        let indices = try heads.integers("\(what).coef.idx")
        let scale = Double(coefficients.map(\.magnitude).max() ?? 0)
        assertClose(
          indices.map { coefficients[$0] }, try heads.floats("\(what).coef.val"),
          absolute: 1e-4 * scale, what)
        assertClose(
          solution.intercepts.map(Float.init), try heads.floats("\(what).intercept"),
          absolute: 1e-4, what)
      }
    }
  }

  func testPredictionsMatchWhereTheyAreClear() throws {
    let heads = try Fixture(named: "heads")
    let claims: [(name: String, kind: FewShotClassifier.Kind, gap: Float)] = [
      ("ridge", .ridge(alpha: 1), 1e-4), ("svc", .linearSVC(inverseRegularization: 1), 1e-4),
      ("centroid", .nearestCentroid(.euclidean), 1e-6),
      ("centroid_cosine", .nearestCentroid(.cosine), 1e-6),
    ]
    let width = SyntheticEpisode.dimensions
    for (key, episode) in try Self.episodes.get() {
      for (name, kind, least) in claims {
        let classifier = try FewShotClassifier(
          kind, rows: episode.supportRows, dimensions: width, classes: episode.ways)
        classifier.fit(episode.support, labels: episode.supportLabels)
        let expected = try heads.integers("\(key).\(name).pred")
        for (q, gap) in try heads.floats("\(key).\(name).gap").enumerated() where gap > least {
          let query = Array(episode.query[q * width..<(q + 1) * width])
          XCTAssertEqual(classifier.predict(query), expected[q], "\(key) \(name) query \(q)")
        }
      }
    }
  }
}
