import CSKD
import SKDABI

/// The first and the last number of the enumeration in skd.h.
private let classifierCodes = Int32(SKD_CLASSIFIER_LOGISTIC)...Int32(SKD_CLASSIFIER_PT_MAP)
private let transductiveCodes =
  Int32(SKD_CLASSIFIER_SIMPLE_SHOT)...Int32(SKD_CLASSIFIER_PT_MAP)

/// Augmentation, episodes and classifiers.
func fewShotCalls() -> [(String, Call)] {
  [
    (
      "skd_apply_augmentation",
      { a in
        let (batch, side, channels) = (a.size(), a.size(), a.size([1, 2, 3, 4]))
        let choices = a.array([batch]) { a.choices() }
        return skd_apply_augmentation(
          a.bytes(batch, side, side, channels), batch, side, channels, a.size([0, 1, 4]), choices,
          a.bytes(batch, side, side, channels))
      }
    ),
    (
      "skd_draw_augmentation",
      { a in
        skd_draw_augmentation(
          a.code(0...2), a.size([0, 1, 4]), a.code(0...1), a.next(), a.size(), a.size(),
          a.code(0...1), a.reference(a.choices()))
      }
    ),
    (
      "skd_augment",
      { a in
        let (count, side, channels) = (a.size(), a.size(), a.size([1, 2, 3, 3, 4]))
        let (batch, outputSide) = (a.size(), a.size())
        return skd_augment(
          a.bytes(count, side, side, channels), count, side, channels,
          a.integers(batch, below: count), a.integers(batch, below: 99), batch, a.code(0...2),
          a.size([0, 1, 4]), a.code(0...1), a.next(), a.size(), a.code(0...1), a.floats(channels),
          a.floats(channels), outputSide, a.floats(batch, outputSide, outputSide, channels))
      }
    ),
    (
      "skd_shuffle",
      { a in
        let count = a.size()
        return skd_shuffle(count, a.next(), a.size(), a.integers(count, below: 1))
      }
    ),
    (
      "skd_episode_extents",
      { a in
        let count = a.size([0, 1, 3])
        return skd_episode_extents(
          a.reference(a.episodeOptions()), a.size(), count, a.integers(count, below: 1),
          a.integers(count, below: 1))
      }
    ),
    (
      "skd_sample_episodes",
      { a in
        let (images, count) = (a.size([0, 4, 16, 60]), a.size([0, 1, 3]))
        let options = a.episodeOptions()
        let ways = max(options.n_way, options.max_way)
        let classes = ways &+ options.unknown_ways
        return skd_sample_episodes(
          a.integers(images, below: 3), images, a.reference(options), a.size(), count,
          a.integers(count, classes, below: 1),
          a.integers(count, ways, max(options.n_shot, options.max_shot), below: 1),
          a.integers(count, classes, options.n_query, below: 1),
          a.integers(count, classes, below: 1))
      }
    ),
    (
      "skd_l2_normalize",
      { a in
        let (rows, dimensions) = (a.size(), a.size())
        return skd_l2_normalize(
          a.floats(rows, dimensions), rows, dimensions,
          a.element(of: [nil, a.floats(dimensions)]), a.floats(rows, dimensions))
      }
    ),
    (
      "skd_logistic_regression_fit",
      { a in
        let f = a.fit()
        return skd_logistic_regression_fit(
          f.features, f.labels, f.rows, f.dimensions, f.classes, a.double([0.1, 1]),
          a.double([1e-4]), a.iterations(), f.coefficients, f.intercepts, a.integers(1, below: 1),
          a.array([1]) { Int32(0) })
      }
    ),
    (
      "skd_ridge_classifier_fit",
      { a in
        let f = a.fit()
        return skd_ridge_classifier_fit(
          f.features, f.labels, f.rows, f.dimensions, f.classes, a.double([0.1, 1]),
          f.coefficients, f.intercepts)
      }
    ),
    (
      "skd_linear_svc_fit",
      { a in
        let f = a.fit()
        return skd_linear_svc_fit(
          f.features, f.labels, f.rows, f.dimensions, f.classes, a.double([0.1, 1]),
          a.double([1e-4]), a.iterations(), f.coefficients, f.intercepts, a.integers(1, below: 1),
          a.array([1]) { Int32(0) })
      }
    ),
    (
      "skd_linear_decision",
      { a in
        let (rows, dimensions, classes) = (a.size(), a.size(), a.size())
        return skd_linear_decision(
          a.floats(rows, dimensions), rows, dimensions, classes, a.doubles(classes, dimensions),
          a.doubles(classes), a.doubles(rows, classes))
      }
    ),
    (
      "skd_softmax",
      { a in
        let (rows, classes) = (a.size(), a.size())
        return skd_softmax(
          a.doubles(rows, classes), rows, classes, a.double([1, 4]), a.doubles(rows, classes))
      }
    ),
    (
      "skd_class_centroids",
      { a in
        let f = a.fit()
        return skd_class_centroids(
          f.features, f.labels, f.rows, f.dimensions, f.classes, f.coefficients)
      }
    ),
    (
      "skd_prototype_proximities",
      { a in
        let (rows, dimensions, count) = (a.size(), a.size(), a.size())
        return skd_prototype_proximities(
          a.floats(rows, dimensions), rows, dimensions, a.doubles(count, dimensions), count,
          a.code(0...1), a.doubles(rows, count))
      }
    ),
    (
      "skd_nearest_prototypes",
      { a in
        let (rows, dimensions, count) = (a.size(), a.size(), a.size())
        return skd_nearest_prototypes(
          a.floats(rows, dimensions), rows, dimensions, a.doubles(count, dimensions), count,
          a.code(0...1), a.integers(rows, below: 1))
      }
    ),
    (
      "skd_score_episodes",
      { a in
        let (count, rows, dimensions) = (a.size([0, 1, 3]), a.size([2, 4, 6]), a.size([1, 3, 8]))
        let (images, ways, queries) = (a.size([1, 5, 17]), a.size([1, 2]), a.size([1, 3]))
        return skd_score_episodes(
          a.floats(count, rows, dimensions), a.integers(rows, below: ways), count, rows, dimensions,
          a.floats(images, dimensions), images, a.integers(count, queries, below: images),
          a.integers(count, queries, below: ways &+ 1), queries, ways,
          a.classifier(classifierCodes), a.integers(count, queries, below: 1), a.doubles(count))
      }
    ),
    (
      "skd_classify_queries",
      { a in
        let (count, rows, dimensions) = (a.size([0, 1, 3]), a.size([2, 4, 6]), a.size([1, 3, 8]))
        let (queries, classes) = (a.size([1, 3, 9]), a.size([1, 2]))
        return skd_classify_queries(
          a.classifier(transductiveCodes), a.floats(count, rows, dimensions),
          a.integers(rows, below: classes), count, rows, dimensions,
          a.floats(count, queries, dimensions), queries, classes,
          a.integers(count, queries, below: 1), a.doubles(count, queries, classes),
          a.doubles(count))
      }
    ),
    (
      "skd_open_set_scores",
      { a in
        let (rows, dimensions, classes) = (a.size(), a.size(), a.size())
        return skd_open_set_scores(
          a.floats(rows, dimensions), rows, dimensions, a.doubles(classes, dimensions), classes,
          a.code(0...1), a.doubles(rows))
      }
    ),
    (
      "skd_open_set_quality",
      { a in
        let (known, unknown) = (a.size(), a.size())
        return skd_open_set_quality(
          a.doubles(known), known, a.doubles(unknown), unknown, a.doubles(1), a.doubles(1))
      }
    ),
    (
      "skd_open_set_episodes",
      { a in
        let (count, rows, dimensions) = (a.size([0, 1, 3]), a.size([2, 4, 6]), a.size([1, 3, 8]))
        let (images, ways, queries) = (a.size([1, 5, 17]), a.size([1, 2]), a.size([2, 5]))
        return skd_open_set_episodes(
          a.floats(count, rows, dimensions), a.integers(rows, below: ways), count, rows, dimensions,
          a.floats(images, dimensions), images, a.integers(count, queries, below: images),
          a.integers(count, queries, below: ways &+ 1), queries, ways, a.code(0...1),
          a.doubles(count), a.doubles(count))
      }
    ),
    (
      "skd_calibrate_temperature",
      { a in
        skd_calibrate_temperature(
          a.classifier(classifierCodes), a.reference(a.supportExamples()), a.double([0.1, 7]),
          a.double([0, 2]), a.doubles(1))
      }
    ),
    (
      "skd_rejection_threshold",
      { a in
        skd_rejection_threshold(
          a.reference(a.supportExamples()), a.double([0.5, 0.95]), a.doubles(1))
      }
    ),
    (
      "skd_calibration_bins",
      { a in
        let (count, bins) = (a.size(), a.size([1, 2, 15]))
        return skd_calibration_bins(
          a.array([count]) { a.double([0, 0.3, 1]) }, a.bytes(count, 1, 1, 1), count, bins,
          a.integers(bins, below: 1), a.doubles(bins), a.doubles(bins), a.doubles(1))
      }
    ),
    (
      "skd_mean_ci95",
      { a in
        let count = a.size()
        return skd_mean_ci95(a.doubles(count), count, a.doubles(1), a.doubles(1))
      }
    ),
  ]
}

/// What the fits of classifiers are given.
private struct Fit {
  let features: UnsafeMutablePointer<Float>?
  let labels: UnsafeMutablePointer<Int64>?
  let rows, dimensions, classes: Int64
  let coefficients, intercepts: UnsafeMutablePointer<Double>?
}

extension RandomArguments {
  fileprivate func choices() -> skd_augmentation_choices {
    let operations = element(of: [(0, 1, 2), (2, 0, 1), (-1, -1, -1), (0, 0, 0), (3, -2, 99)])
    return skd_augmentation_choices(
      top: code(0...8), left: code(0...8), flip: code(0...1),
      operations: (Int32(operations.0), Int32(operations.1), Int32(operations.2)),
      factors: (float([0.6, 1, 1.4]), float([0.6, 1, 1.4]), float([0.6, 1, 1.4])))
  }

  fileprivate func fit() -> Fit {
    let (rows, dimensions, classes) = (
      size([2, 3, 5, 8, 16]), size([1, 2, 5, 16]), size([2, 2, 3])
    )
    return Fit(
      features: floats(rows, dimensions), labels: integers(rows, below: classes), rows: rows,
      dimensions: dimensions, classes: classes, coefficients: doubles(classes, dimensions),
      intercepts: doubles(classes))
  }

  fileprivate func classifier(
    _ kinds: ClosedRange<Int32>
  ) -> UnsafeMutablePointer<skd_classifier_options>? {
    reference(
      skd_classifier_options(
        kind: code(kinds), inverse_regularization: double([0.1, 1]), scale: double([1, 10]),
        pseudo_labels: size([0, 1, 8]), neighbors: size([1, 3]), neighbor_weight: double([0, 1]),
        centers: code(0...1), rectifies: code(0...1), cross_entropy_weight: double([0, 0.1]),
        marginal_entropy_weight: double([0, 1]), conditional_entropy_weight: double([0, 1]),
        alpha: double([2, 7]), power: double([0.5, 1]), learning_rate: double([0.01, 1]),
        steps: element(of: [1, 2, 20, 0, -1, .min, .max])))
  }

  fileprivate func episodeOptions() -> skd_episode_options {
    skd_episode_options(
      n_way: size([1, 2, 3]), n_shot: size([1, 2]), n_query: size([1, 3]),
      max_way: size([0, 0, 3]),
      max_shot: size([0, 0, 2]), unknown_ways: size([0, 0, 1]),
      query_concentration: double([0, 0, 0.5, 2]), legacy: code(0...1), seed: next())
  }

  fileprivate func supportExamples() -> skd_support_examples {
    let (f, count) = (fit(), size([1, 2, 3, 5, 8]))
    return skd_support_examples(
      features: UnsafePointer(f.features), labels: UnsafePointer(f.labels),
      examples: UnsafePointer(integers(f.rows, below: count)), rows: f.rows,
      dimensions: f.dimensions, classes: f.classes,
      plain: UnsafePointer(floats(count, f.dimensions)), count: count)
  }

  /// A bound of iterations, of which a fit that cannot converge takes all.
  fileprivate func iterations() -> Int64 { element(of: [1, 20, 100, 0, -1, .min]) }
}
