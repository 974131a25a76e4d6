import CSKD
import XCTest

/// Options of a classifier with the defaults of the papers.
func classifierOptions(_ kind: Int, _ inverseRegularization: Double = 1) -> skd_classifier_options {
  skd_classifier_options(
    kind: Int32(kind), inverse_regularization: inverseRegularization, scale: 10, pseudo_labels: 8,
    neighbors: 3, neighbor_weight: 1, centers: 1, rectifies: 1, cross_entropy_weight: 0.1,
    marginal_entropy_weight: 1, conditional_entropy_weight: 0.1, alpha: 2, power: 0.5,
    learning_rate: 0.01, steps: 20)
}

final class TransductiveABITests: XCTestCase {
  private struct Result {
    var status: skd_status
    var predictions = [Int64](repeating: -5, count: 6)
    var scores = [Double](repeating: -5, count: 12)
    var objectives = [-5.0, -5]
  }

  private func classify(
    _ options: skd_classifier_options, support: [Float] = [0, 1, 1, 0, 1, 0, 0, 1],
    labels: [Int64] = [0, 1], classes: Int64 = 2, query: [Float]? = nil
  ) -> (Outcome, Result) {
    var result = Result(status: 0)
    var options = options
    let query = query ?? [0.1, 0.9, 0.8, 0.2, 0.3, 0.7, 0.1, 0.9, 0.8, 0.2, 0.3, 0.7]
    result.status = skd_classify_queries(
      &options, support, labels, 2, 2, 2, query, 3, classes, &result.predictions, &result.scores,
      &result.objectives)
    return (Outcome(result.status), result)
  }

  /// The second episode has its support samples swapped.
  func testEveryHeadClassifiesTwoEpisodes() {
    for kind in SKD_CLASSIFIER_SIMPLE_SHOT...SKD_CLASSIFIER_PT_MAP {
      let (outcome, result) = classify(classifierOptions(kind))
      assertOK(outcome.status)
      XCTAssertEqual(result.predictions, [0, 1, 0, 1, 0, 1], "kind \(kind)")
      for row in 0..<6 {
        let (first, second) = (result.scores[2 * row], result.scores[2 * row + 1])
        XCTAssertEqual(first > second, result.predictions[row] == 0)
      }
    }
  }

  func testEveryHyperparameterIsCheckedByTheHeadThatReadsIt() {
    typealias Change = (inout skd_classifier_options) -> Void
    let claims: [(String, [Int], Change)] = [
      (
        "scale",
        [
          SKD_CLASSIFIER_BD_CSPN, SKD_CLASSIFIER_LAPLACIAN_SHOT, SKD_CLASSIFIER_TIM,
          SKD_CLASSIFIER_ALPHA_TIM, SKD_CLASSIFIER_PT_MAP,
        ], { $0.scale = .nan }
      ),
      ("pseudo_labels", [SKD_CLASSIFIER_BD_CSPN], { $0.pseudo_labels = -1 }),
      ("neighbors", [SKD_CLASSIFIER_LAPLACIAN_SHOT], { $0.neighbors = 0 }),
      ("neighbor_weight", [SKD_CLASSIFIER_LAPLACIAN_SHOT], { $0.neighbor_weight = -1 }),
      ("centers", [SKD_CLASSIFIER_LAPLACIAN_SHOT], { $0.centers = -1 }),
      ("rectifies", [SKD_CLASSIFIER_LAPLACIAN_SHOT], { $0.rectifies = 2 }),
      (
        "cross_entropy_weight", [SKD_CLASSIFIER_TIM, SKD_CLASSIFIER_ALPHA_TIM],
        { $0.cross_entropy_weight = .infinity }
      ),
      (
        "marginal_entropy_weight", [SKD_CLASSIFIER_TIM, SKD_CLASSIFIER_ALPHA_TIM],
        { $0.marginal_entropy_weight = -1 }
      ),
      (
        "conditional_entropy_weight", [SKD_CLASSIFIER_TIM, SKD_CLASSIFIER_ALPHA_TIM],
        { $0.conditional_entropy_weight = 1e7 }
      ),
      ("alpha", [SKD_CLASSIFIER_ALPHA_TIM], { $0.alpha = 1 }),
      ("power", [SKD_CLASSIFIER_PT_MAP], { $0.power = 3 }),
      (
        "learning_rate", [SKD_CLASSIFIER_TIM, SKD_CLASSIFIER_ALPHA_TIM, SKD_CLASSIFIER_PT_MAP],
        { $0.learning_rate = 0 }
      ),
      (
        "steps",
        [
          SKD_CLASSIFIER_LAPLACIAN_SHOT, SKD_CLASSIFIER_TIM, SKD_CLASSIFIER_ALPHA_TIM,
          SKD_CLASSIFIER_PT_MAP,
        ], { $0.steps = -1 }
      ),
    ]
    for (name, readers, change) in claims {
      for kind in SKD_CLASSIFIER_SIMPLE_SHOT...SKD_CLASSIFIER_PT_MAP {
        var options = classifierOptions(kind)
        change(&options)
        let (outcome, result) = classify(options)
        if readers.contains(kind) {
          assertRefused(outcome, "head.\(name) of classify_queries must be")
          XCTAssertEqual(Set(result.predictions), [-5])
        } else {
          assertOK(outcome.status)
        }
      }
    }
  }

  func testBadArgumentsAreNamedAndWriteNothing() {
    let simple = classifierOptions(SKD_CLASSIFIER_SIMPLE_SHOT)
    let claims = [
      (classify(simple, labels: [0, 2]), "support_labels of classify_queries must be in 0...1"),
      (
        classify(simple, labels: [0, 0]),
        "support_labels of classify_queries must hold each of the 2 classes"
      ),
      (
        classify(simple, support: [0, 1, .nan, 0, 1, 0, 0, 1]),
        "support of classify_queries must be finite"
      ),
      (
        classify(simple, query: [Float](repeating: .infinity, count: 12)),
        "query of classify_queries must be finite"
      ),
      (classify(simple, classes: 0), "classes of classify_queries"),
      (classify(classifierOptions(SKD_CLASSIFIER_LOGISTIC)), "head.kind of classify_queries"),
    ]
    for ((outcome, result), message) in claims {
      assertRefused(outcome, message)
      XCTAssertEqual(Set(result.predictions), [-5])
      XCTAssertEqual(Set(result.scores + result.objectives), [-5])
    }
    var options = simple
    assertRefused(
      skd_classify_queries(&options, [1], [0], 1, 1 << 38, 1, [1], 1 << 38, 1, nil, nil, nil),
      "products of features of classify_queries must have at most 2^40 elements")
  }
}
