import SKDFewShot
import SKDTestSupport
import XCTest

/// scikit-learn's exact optimum and predictions, `classifier.npz`; tolerances of its README.
final class ClassifierGoldenTests: XCTestCase {
  /// Generated once: an unoptimised build takes seconds for it.
  private static let episodes = Result {
    let fixture = try Fixture(named: "classifier")
    return try (0..<fixture.integer("count")).map { try SyntheticEpisode($0, of: fixture) }
  }

  func testLogisticRegressionReachesTheOptimumOfScikitLearn() throws {
    let fixture = try Fixture(named: "classifier")
    for (i, episode) in try Self.episodes.get().enumerated() {
      let key = "episode\(i)"
      let regression = try LogisticRegression(
        rows: episode.supportRows, dimensions: SyntheticEpisode.dimensions, classes: episode.ways)
      _ = regression.fit(episode.support, labels: episode.supportLabels)
      let solution = LogisticSolution(regression)

      let coefficients = solution.coefficients.map(Float.init)
      let scale = Double(coefficients.map(\.magnitude).max() ?? 0)
      let indices = try fixture.integers("\(key).coef.idx")
      assertClose(
        indices.map { coefficients[$0] }, try fixture.floats("\(key).coef.val"),
        absolute: 2e-4 * scale, key)
      let norm = solution.coefficients.reduce(0) { $0 + $1 * $1 }.squareRoot()
      assertClose([Float(norm)], [try fixture.float("\(key).coef_norm")], relative: 1e-4, key)
      assertClose(
        solution.intercepts.map(Float.init), try fixture.floats("\(key).intercept"),
        absolute: 2e-4, key)
      XCTAssertEqual(solution.intercepts.reduce(0, +), 0, accuracy: 1e-12)

      let fit = solution.objective(episode.support, episode.supportLabels, 1)
      assertClose(
        [Float(fit.value)], [try fixture.float("\(key).objective")], relative: 1e-5, key)
      XCTAssertLessThan(fit.largestGradient, 1e-5, key)
      let decisions = (0..<4 * episode.ways).flatMap { solution.decision(episode.query, row: $0) }
      assertClose(
        decisions.map(Float.init), try fixture.floats("\(key).decision"), absolute: 2e-4, key)
    }
  }

  func testPredictionsMatchScikitLearnWhereTheyAreClear() throws {
    let fixture = try Fixture(named: "classifier")
    for (i, episode) in try Self.episodes.get().enumerated() {
      let key = "episode\(i)"
      let logistic = try predict(episode, .logistic(inverseRegularization: 1))
      let neighbor = try predict(episode, .nearestNeighbor(.euclidean))
      let claims: [(actual: [Int], predictions: String, gap: String, least: Float)] = [
        (logistic, "pred_lr", "gap_lr", 1e-3), (logistic, "pred_lr_sklearn", "gap_lr", 5e-3),
        (neighbor, "pred_nn", "gap_nn", 1e-5), (neighbor, "pred_cosine", "gap_nn", 1e-5),
      ]
      for (actual, predictions, gap, least) in claims {
        let expected = try fixture.integers("\(key).\(predictions)")
        for (q, gap) in try fixture.floats("\(key).\(gap)").enumerated() where gap > least {
          XCTAssertEqual(actual[q], expected[q], "\(key) \(predictions) query \(q)")
        }
      }
    }
  }

  /// Half a percent: single queries may sit within rounding of a boundary.
  func testAccuraciesAndIntervalsMatch() throws {
    let fixture = try Fixture(named: "classifier")
    var accuracies: [String: [Double]] = [:]
    for episode in try Self.episodes.get() {
      let kinds: [(String, FewShotClassifier.Kind)] = [
        ("lr", .logistic(inverseRegularization: 1)), ("nn", .nearestNeighbor(.euclidean)),
      ]
      for (name, kind) in kinds {
        let correct = try predict(episode, kind).enumerated()
          .filter { $1 == $0 / episode.queries }.count
        accuracies["accuracy.\(episode.ways)way\(episode.shots)shot.\(name)", default: []].append(
          100 * Double(correct) / Double(episode.ways * episode.queries))
      }
    }
    XCTAssertFalse(accuracies.isEmpty)
    for (key, values) in accuracies {
      let interval = values.withUnsafeBufferPointer { ConfidenceInterval(of: $0) }
      assertClose(
        [Float(interval.mean), Float(try XCTUnwrap(interval.halfWidth))], try fixture.floats(key),
        absolute: 0.5, key)
    }
  }

  private func predict(_ episode: SyntheticEpisode, _ kind: FewShotClassifier.Kind) throws -> [Int]
  {
    let width = SyntheticEpisode.dimensions
    let classifier = try FewShotClassifier(
      kind, rows: episode.supportRows, dimensions: width, classes: episode.ways)
    classifier.fit(episode.support, labels: episode.supportLabels)
    return episode.query.withUnsafeBufferPointer { query in
      (0..<query.count / width).map { classifier.predict(query.baseAddress! + $0 * width) }
    }
  }
}
