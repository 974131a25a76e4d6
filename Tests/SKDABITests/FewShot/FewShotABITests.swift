import CSKD
import SKDABI
import SKDTestSupport
import XCTest

final class FewShotABITests: XCTestCase {
  // MARK: Episodes

  /// Labels 7, 7, 7, 9, 9, 9.
  private let labels: [Int64] = [7, 7, 7, 9, 9, 9]

  private func sample(
    _ options: skd_episode_options, first: Int64 = 0, count: Int64 = 2, labels: [Int64]? = nil
  ) -> (outcome: Outcome, classes: [Int64], support: [Int64], query: [Int64]) {
    var classes = [Int64](repeating: -5, count: 4)
    var (support, query) = (classes, [Int64](repeating: -5, count: 8))
    let labels = labels ?? self.labels
    let status = withUnsafePointer(to: options) {
      skd_sample_episodes(
        labels, Int64(labels.count), $0, first, count, &classes, &support, &query, nil)
    }
    return (Outcome(status), classes, support, query)
  }

  private func options(
    ways: Int64 = 2, shots: Int64 = 1, queries: Int64 = 2, legacy: Int32 = 0
  ) -> skd_episode_options {
    skd_episode_options(
      n_way: ways, n_shot: shots, n_query: queries, max_way: 0, max_shot: 0, unknown_ways: 0,
      query_concentration: 0, legacy: legacy, seed: 3)
  }

  func testSampledEpisodesAreWhole() {
    for legacy in [0, 1] as [Int32] {
      let drawn = sample(options(legacy: legacy))
      assertOK(drawn.outcome.status)
      for way in 0..<4 {
        let images = [drawn.support[way]] + drawn.query[2 * way..<2 * way + 2]
        XCTAssertEqual(Set(images).count, 3)
        XCTAssertTrue(images.allSatisfy { labels[Int($0)] == drawn.classes[way] })
      }
      let second = sample(options(legacy: legacy), first: 1, count: 1)
      XCTAssertEqual(second.classes.prefix(2), drawn.classes.suffix(2))
      XCTAssertEqual(second.query.prefix(4), drawn.query.suffix(4))
    }
  }

  func testBadEpisodeArgumentsAreNamedAndWriteNothing() {
    let claims: [(skd_episode_options, Int64, Int64, String)] = [
      (
        options(ways: 3), 0, 2,
        "options.n_way of sample_episodes must be at most the number of classes, 2"
      ),
      (
        options(queries: 3), 0, 2,
        "options.n_shot + options.n_query of sample_episodes must be at most"
      ),
      (options(ways: 0), 0, 2, "options.n_way of sample_episodes"),
      (options(shots: -1), 0, 2, "options.n_shot of sample_episodes"),
      (options(queries: 0), 0, 2, "options.n_query of sample_episodes"),
      (options(legacy: 2), 0, 2, "options.legacy of sample_episodes"),
      (options(legacy: 1), 1 << 32, 1, "first of sample_episodes"),
      (options(legacy: 1), (1 << 32) - 1, 2, "count of sample_episodes"),
      (options(), -1, 2, "first of sample_episodes"),
    ]
    for (options, first, count, message) in claims {
      let drawn = sample(options, first: first, count: count)
      assertRefused(drawn.outcome, message)
      XCTAssertEqual(Set(drawn.classes + drawn.support + drawn.query), [-5])
    }
    assertRefused(sample(options(), labels: []).outcome, "image_count of sample_episodes")
    assertRefused(
      skd_sample_episodes(nil, 6, [options()], 0, 1, nil, nil, nil, nil),
      "labels of sample_episodes")
    assertRefused(
      skd_sample_episodes(labels, 6, nil, 0, 1, nil, nil, nil, nil), "options of sample_episodes")
    assertRefused(
      skd_sample_episodes(labels, 6, [options()], 0, 1, nil, nil, nil, nil),
      "classes of sample_episodes must not be NULL")
  }

  func testUnevenEpisodesAreWrittenOneAfterTheOther() {
    let labels = (0..<80).map { Int64($0 % 4) }
    var options = options(ways: 1, queries: 3)
    (options.max_way, options.max_shot, options.unknown_ways) = (3, 4, 1)
    options.query_concentration = 1
    var (ways, shots) = ([Int64](repeating: -5, count: 6), [Int64](repeating: -5, count: 6))
    assertOK(skd_episode_extents(&options, 2, 6, &ways, &shots))
    let classCount = ways.map { Int($0) + 1 }.reduce(0, +)
    let supportCount = zip(ways, shots).map { Int($0 * $1) }.reduce(0, +)
    // One element more than needed, which stays.
    var classes = [Int64](repeating: -5, count: classCount + 1)
    var (counts, support) = (classes, [Int64](repeating: -5, count: supportCount + 1))
    var query = [Int64](repeating: -5, count: 3 * classCount + 1)
    assertOK(
      skd_sample_episodes(
        labels, 80, &options, 2, 6, &classes, &support, &query, &counts))
    for written in [classes, support, query, counts] {
      XCTAssertEqual(written.last, -5)
      XCTAssertTrue(written.dropLast().allSatisfy { $0 >= 0 })
    }
    XCTAssertEqual(counts.dropLast().reduce(0, +), Int64(3 * classCount))
    let ofQuery = zip(classes, counts.dropLast()).flatMap { Array(repeating: $0, count: Int($1)) }
    XCTAssertEqual(query.dropLast().map { labels[Int($0)] }, ofQuery)
  }

  func testBadOptionsOfUnevenEpisodesAreNamed() {
    func refused(_ change: (inout skd_episode_options) -> Void) -> Outcome {
      var options = options()
      change(&options)
      return sample(options).outcome
    }
    assertRefused(refused { $0.max_way = 1 }, "options.max_way of sample_episodes must be in 2...")
    assertRefused(refused { $0.max_shot = -1 }, "options.max_shot of sample_episodes")
    assertRefused(refused { $0.unknown_ways = -1 }, "options.unknown_ways of sample_episodes")
    assertRefused(
      refused { $0.unknown_ways = 1 },
      "options.n_way + options.unknown_ways of sample_episodes must be at most the number of "
        + "classes, 2; got 2 and 1")
    for concentration in [-1, 1e-4, 1e7, .nan, .infinity] {
      assertRefused(
        refused { $0.query_concentration = concentration },
        "options.query_concentration of sample_episodes must be at least 0.001")
    }
    assertRefused(
      refused { $0.query_concentration = 2 },
      "options.n_shot + options.n_way * options.n_query of sample_episodes must be at most")
    assertRefused(
      refused { ($0.legacy, $0.max_shot) = (1, 2) }, "options.legacy of sample_episodes must be 0")
  }

  // MARK: Open set

  func testOpenSetScoresAndTheirQuality() {
    var scores = [-5.0, -5]
    assertOK(skd_open_set_scores([0, 2, 3, 0], 2, 2, [0, 1, 2, 0], 2, 0, &scores))
    XCTAssertEqual(scores, [1, 1])
    assertOK(skd_open_set_scores([0, 2], 1, 2, [0, 1, 0, 3], 2, 1, &scores))
    XCTAssertEqual(scores, [0.5, 1])
    var (auroc, fpr95) = (-5.0, -5.0)
    assertOK(skd_open_set_quality([2, 3], 2, [1, 2], 2, &auroc, &fpr95))
    XCTAssertEqual([auroc, fpr95], [0.875, 0.5])
    assertRefused(skd_open_set_quality([1], 0, [1], 1, &auroc, &fpr95), "known_count of")
    assertRefused(skd_open_set_quality([1], 1, [.nan], 1, &auroc, &fpr95), "unknown of")
    assertRefused(skd_open_set_scores([0, 2], 1, 2, [0, 1], 1, 2, &scores), "score of")
    assertRefused(skd_open_set_scores([0, 2], 1, 2, [0, .nan], 1, 0, &scores), "centroids of")
  }

  /// Two episodes with class means 1 and 3 in one dimension, where 1 is unknown in the second.
  func testOpenSetEpisodesAreMeasuredOneByOne() {
    var (aurocs, fpr95s) = ([-5.0, -5], [-5.0, -5])
    func measure(_ labels: [Int64]) -> skd_status {
      skd_open_set_episodes(
        [1, 3, 3, 1], [0, 1], 2, 2, 1, [1, 3, 9], 3, [0, 1, 2, 2, 1, 0], labels, 3, 2, 1, &aurocs,
        &fpr95s)
    }
    assertRefused(measure([0, 1, 1, 2, 1, 0]), "query_labels of open_set_episodes must hold")
    assertRefused(
      measure([0, 1, 3, 2, 1, 0]), "query_labels of open_set_episodes must be in 0...2")
    XCTAssertEqual(aurocs + fpr95s, [-5, -5, -5, -5])
    assertOK(measure([0, 1, 2, 0, 1, 2]))
    // The probabilities of 1 and 3 are equal, and a distant 9 has a larger one.
    XCTAssertEqual(aurocs, [0, 0.75])
    XCTAssertEqual(fpr95s, [1, 1])
  }

  // MARK: Classifiers

  func testNormalizeWorksInPlaceAndRefusesNaN() {
    var features: [Float] = [3, 4, 0, 0]
    features.withUnsafeMutableBufferPointer {
      assertOK(skd_l2_normalize($0.baseAddress, 2, 2, nil, $0.baseAddress))
    }
    XCTAssertEqual(features, [0.6, 0.8, 0, 0])
    var output: [Float] = [5, 5]
    assertRefused(
      skd_l2_normalize([1, .nan], 1, 2, nil, &output),
      "features of l2_normalize must be finite; got nan"
    )
    assertRefused(skd_l2_normalize([1, 1], -1, 2, nil, &output), "rows of l2_normalize")
    assertRefused(skd_l2_normalize([1, 1], 1, 0, nil, &output), "dimensions of l2_normalize")
    assertRefused(skd_l2_normalize(nil, 1, 2, nil, &output), "features of l2_normalize")
    XCTAssertEqual(output, [5, 5])
    assertOK(skd_l2_normalize(nil, 0, 2, nil, nil))
    assertRefused(
      skd_l2_normalize([1, 1], 1, 2, [0, .infinity], &output), "mean of l2_normalize must be finite"
    )
  }

  func testLogisticRegressionFitsAndDecides() {
    var (coefficients, intercepts) = ([0.0, 0], [9.0, 9])
    var iterations: Int64 = -1
    assertOK(
      skd_logistic_regression_fit(
        [-1, 1], [0, 1], 2, 1, 2, 1, 1e-10, 100, &coefficients, &intercepts, &iterations, nil))
    XCTAssertEqual(1 - tanh(coefficients[1]), coefficients[1], accuracy: 1e-9)
    XCTAssertEqual(intercepts, [0, 0])
    XCTAssertTrue((1...100).contains(iterations))
    var decision = [Double](repeating: 0, count: 4)
    assertOK(
      skd_linear_decision(
        [2, -3], 2, 1, 2, coefficients, [0.5, -0.5], &decision))
    let w = coefficients[1]
    for (actual, expected) in zip(
      decision, [0.5 - 2 * w, 2 * w - 0.5, 0.5 + 3 * w, -0.5 - 3 * w])
    {
      XCTAssertEqual(actual, expected, accuracy: 1e-12)
    }
  }

  func testBadRegressionArgumentsAreNamedAndWriteNothing() {
    var (coefficients, intercepts) = ([9.0, 9], [9.0, 9])
    func fit(
      _ features: [Float] = [-1, 1], labels: [Int64] = [0, 1], classes: Int64 = 2,
      inverseRegularization: Double = 1, tolerance: Double = 1e-5, iterations: Int64 = 10
    ) -> skd_status {
      skd_logistic_regression_fit(
        features, labels, 2, 1, classes, inverseRegularization, tolerance, iterations,
        &coefficients, &intercepts, nil, nil)
    }
    assertRefused(fit(labels: [0, 2]), "labels of logistic_regression_fit must be in 0...1; got 2")
    assertRefused(fit(labels: [0, -1]), "got -1 at index 1")
    assertRefused(fit(labels: [0, 0]), "must hold each of the 2 classes; got none of class 1")
    assertRefused(fit(classes: 1), "classes of logistic_regression_fit must be in 2...")
    assertRefused(fit([1, .infinity]), "features of logistic_regression_fit must be finite")
    for bad in [0, -1, .nan, .infinity] as [Double] {
      assertRefused(fit(inverseRegularization: bad), "inverse_regularization of")
      assertRefused(fit(tolerance: bad), "tolerance of")
    }
    assertRefused(fit(iterations: 0), "max_iterations of")
    assertRefused(
      skd_logistic_regression_fit(
        [1, 2], [0, 1], 1 << 40, 1 << 40, 2, 1, 1, 1, &coefficients, &intercepts, nil, nil),
      "features of logistic_regression_fit must have at most 2^40 elements")
    assertRefused(
      skd_linear_decision([1], 1, 1, 2, nil, [0, 0], &intercepts),
      "coefficients of linear_decision must not be NULL")
    XCTAssertEqual(coefficients + intercepts, [9, 9, 9, 9])
  }

  private func score(
    support: [Float] = [0, 1, 1, 0], supportLabels: [Int64] = [0, 1],
    features: [Float] = [0.1, 0.9], query: [Int64] = [0, 1, 0, 1],
    queryLabels: [Int64] = [0, 1, 0, 1], ways: Int64 = 2,
    classifier: Int = SKD_CLASSIFIER_NEAREST_CENTROID, inverseRegularization: Double = 1
  ) -> (outcome: Outcome, predictions: [Int64], accuracies: [Double]) {
    var predictions = [Int64](repeating: -5, count: 4)
    var accuracies = [-5.0, -5]
    var options = classifierOptions(classifier, inverseRegularization)
    let status = skd_score_episodes(
      support, supportLabels, 2, 2, 1, features, 2, query, queryLabels, 2, ways, &options,
      &predictions, &accuracies)
    return (Outcome(status), predictions, accuracies)
  }

  /// The second episode has its support samples swapped: all of its queries are wrong.
  func testEveryClassifierScoresTwoEpisodes() {
    for classifier in [
      SKD_CLASSIFIER_LOGISTIC, SKD_CLASSIFIER_NEAREST_CENTROID, SKD_CLASSIFIER_NEAREST_NEIGHBOR,
      SKD_CLASSIFIER_RIDGE, SKD_CLASSIFIER_LINEAR_SVC,
    ] {
      let result = score(classifier: classifier)
      assertOK(result.outcome.status)
      XCTAssertEqual(result.predictions, [0, 1, 1, 0])
      XCTAssertEqual(result.accuracies, [1, 0])
    }
    var accuracy = -1.0
    var options = classifierOptions(SKD_CLASSIFIER_NEAREST_NEIGHBOR)
    assertOK(
      skd_score_episodes(
        [0, 1], [0, 1], 1, 2, 1, [0.1], 1, [0, 0], [0, 1], 2, 2, &options, nil, &accuracy))
    XCTAssertEqual(accuracy, 0.5)
    // A query of an unknown class does not count.
    XCTAssertEqual(score(queryLabels: [0, 2, 1, 2]).accuracies, [1, 1])
    XCTAssertEqual(score(queryLabels: [2, 0, 0, 1]).accuracies, [0, 0])
  }

  func testBadScoringArgumentsAreNamedAndWriteNothing() {
    let claims = [
      (score(supportLabels: [0, 2]), "support_labels of score_episodes must be in 0...1; got 2"),
      (
        score(supportLabels: [0, 0]),
        "support_labels of score_episodes must hold each of the 2 classes"
      ),
      (score(query: [0, 1, 2, 0]), "query of score_episodes must be in 0...1; got 2 at index 2"),
      (score(query: [0, -1, 0, 0]), "query of score_episodes must be in 0...1; got -1"),
      (score(support: [0, 1, .nan, 0]), "support of score_episodes must be finite"),
      (score(features: [0, .infinity]), "features of score_episodes must be finite"),
      (score(classifier: 99), "classifier.kind of score_episodes must be in 0..."),
      (score(classifier: -1), "classifier.kind of score_episodes must be in 0..."),
      (score(ways: 0), "n_way of score_episodes"),
      (score(queryLabels: [0, 1, 3, 0]), "query_labels of score_episodes must be in 0...2; got 3"),
      (
        score(queryLabels: [0, 1, 2, 2]),
        "query_labels of score_episodes must hold a known class in each episode"
      ),
      (
        score(classifier: SKD_CLASSIFIER_LOGISTIC, inverseRegularization: -1),
        "classifier.inverse_regularization of score_episodes must be > 0 and finite; got -1.0"
      ),
    ]
    for (result, message) in claims {
      assertRefused(result.outcome, message)
      XCTAssertEqual(Set(result.predictions), [-5])
      XCTAssertEqual(Set(result.accuracies), [-5])
    }
    var options = classifierOptions(SKD_CLASSIFIER_NEAREST_NEIGHBOR)
    assertRefused(
      skd_score_episodes(
        [0, 1], [0, 1], 1, 2, 1, [0], 1, [0, 0], [0, 1], 2, 2, &options, nil, nil),
      "accuracies of score_episodes must not be NULL")
    var accuracy = -5.0
    assertRefused(
      skd_score_episodes(
        [0, 1], [0, 1], 1, 2, 1, [0], 1, [0, 0], [0, 1], 2, 2, nil, nil, &accuracy),
      "classifier of score_episodes must not be NULL")
  }

  func testMeanAndIntervalAndTheirArguments() {
    var (mean, ci95) = (-5.0, -5.0)
    assertRefused(skd_mean_ci95([1, .nan], 2, &mean, &ci95), "values of mean_ci95 must be finite")
    assertRefused(skd_mean_ci95([1], 0, &mean, &ci95), "count of mean_ci95")
    assertRefused(skd_mean_ci95(nil, 1, &mean, &ci95), "values of mean_ci95 must not be NULL")
    XCTAssertEqual([mean, ci95], [-5, -5])
    assertOK(skd_mean_ci95([1, 2, 3], 3, &mean, &ci95))
    XCTAssertEqual(mean, 2, accuracy: 1e-15)
    XCTAssertEqual(ci95, 2.484_137_7, accuracy: 1e-6)
    assertOK(skd_mean_ci95([4], 1, &mean, &ci95))
    XCTAssertEqual(mean, 4)
    XCTAssertTrue(ci95.isNaN, "one value has no interval")
  }
}
