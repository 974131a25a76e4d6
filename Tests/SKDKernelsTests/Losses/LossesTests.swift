import Foundation
import SKDKernels
import SKDTestSupport
import XCTest

final class LossesTests: XCTestCase {
  private let sizes = [(1, 1), (1, 2), (3, 7), (16, 5), (17, 16), (2, 33), (2, 150)]

  // MARK: By hand

  func testCrossEntropyByHand() {
    var gradient: [Float] = [9, 9, 9, 9]
    // Softmax of (0, log 3) is (1/4, 3/4).
    let loss = softmaxCrossEntropy(
      [0, log(3), 0, log(3)], labels: [0, 1], rows: 2, classes: 2, dLogits: &gradient)
    XCTAssertEqual(loss, (log(4) + log(4 / 3)) / 2, accuracy: 1e-6)
    assertClose(gradient, [-0.375, 0.375, 0.125, -0.125], absolute: 1e-7)
  }

  func testBCEWithLogitsByHand() {
    var gradient: [Float] = [9, 9]
    // Sigmoids of (0, log 3) are (1/2, 3/4).
    let loss = bceWithLogits(
      [0, log(3)], labels: [0], rows: 1, classes: 2, dLogits: &gradient)
    XCTAssertEqual(loss, (log(2) + log(4)) / 2, accuracy: 1e-6)
    assertClose(gradient, [-0.25, 0.375], absolute: 1e-7)
  }

  func testDistillKLByHand() {
    var gradient: [Float] = [9, 9]
    // At temperature 2 the teacher's distribution is (1/4, 3/4), the student's (1/2, 1/2).
    let loss = distillKL(
      student: [0, 0], teacher: [0, 2 * log(3)], rows: 1, classes: 2, temperature: 2,
      dStudent: &gradient)
    XCTAssertEqual(loss, 4 * (0.25 * log(0.5) + 0.75 * log(1.5)), accuracy: 1e-6)
    assertClose(gradient, [0.5, -0.5], absolute: 1e-7)
  }

  func testTwinL2ByHand() {
    var (dRotated, dUpright): ([Float], [Float]) = ([9, 9, 9, 9], [9, 9, 9, 9])
    let loss = twinL2(
      rotated: [3, 4, 1, 1], upright: [0, 0, 1, 1], rows: 2, classes: 2, dRotated: &dRotated,
      dUpright: &dUpright)
    XCTAssertEqual(loss, 2.5)
    assertClose(dRotated, [0.3, 0.4, 0, 0], absolute: 1e-7)
    assertClose(dUpright, [-0.3, -0.4, 0, 0], absolute: 1e-7)
  }

  func testCorrectPredictionsTakeTheFirstMaximum() {
    let logits: [Float] = [1, 1, 0, 0, 2, 2, 0, 1, 3]
    XCTAssertEqual(correctPredictions(logits, labels: [0, 1, 2], rows: 3, classes: 3), 3)
    XCTAssertEqual(correctPredictions(logits, labels: [1, 2, 0], rows: 3, classes: 3), 0)
  }

  // MARK: Formulas

  func testLossesMatchNaiveReferences() {
    for (rows, classes) in sizes {
      let name = "\(rows)x\(classes)"
      let (a, b, labels) = (values("a", rows * classes), values("b", rows * classes), labels(rows))
      let rowLabels = labels.map { Int($0) % classes }
      let fitting = rowLabels.map(Int64.init)
      XCTAssertEqual(
        softmaxCrossEntropy(a, labels: fitting, rows: rows, classes: classes, dLogits: nil),
        Float(naiveCrossEntropy(a, rowLabels)), accuracy: 1e-6, name)
      XCTAssertEqual(
        bceWithLogits(a, labels: fitting, rows: rows, classes: classes, dLogits: nil),
        Float(naiveBCE(a, rowLabels)), accuracy: 1e-6, name)
      XCTAssertEqual(
        distillKL(
          student: a, teacher: b, rows: rows, classes: classes, temperature: 4, dStudent: nil),
        Float(naiveKL(a, b, rows, 4)), accuracy: 1e-6, name)
      XCTAssertEqual(
        twinL2(
          rotated: a, upright: b, rows: rows, classes: classes, dRotated: nil, dUpright: nil),
        Float(naiveTwin(a, b, rows)), accuracy: 1e-6, name)
    }
  }

  func testGradientsMatchFiniteDifferences() {
    for (rows, classes) in sizes where classes > 1 {
      let (a, b, labels) = (values("a", rows * classes), values("b", rows * classes), labels(rows))
      let rowLabels = labels.map { Int($0) % classes }
      let fitting = rowLabels.map(Int64.init)
      let unset = [Float](repeating: .nan, count: a.count)
      var gradient = unset
      var other = unset

      _ = softmaxCrossEntropy(
        a, labels: fitting, rows: rows, classes: classes, dLogits: &gradient)
      assertGradient(
        gradient, of: { self.naiveCrossEntropy($0, rowLabels) }, at: a, step: 1e-3, "CE")

      _ = bceWithLogits(a, labels: fitting, rows: rows, classes: classes, dLogits: &gradient)
      assertGradient(gradient, of: { self.naiveBCE($0, rowLabels) }, at: a, step: 1e-3, "BCE")

      _ = distillKL(
        student: a, teacher: b, rows: rows, classes: classes, temperature: 4, dStudent: &gradient)
      assertGradient(gradient, of: { self.naiveKL($0, b, rows, 4) }, at: a, step: 1e-3, "KL")

      _ = twinL2(
        rotated: a, upright: b, rows: rows, classes: classes, dRotated: &gradient,
        dUpright: &other)
      assertGradient(gradient, of: { self.naiveTwin($0, b, rows) }, at: a, step: 1e-3, "twin")
      assertGradient(other, of: { self.naiveTwin(a, $0, rows) }, at: b, step: 1e-3, "twin")
    }
  }

  func testGradientsAreScaledAndAccumulated() {
    let (rows, classes) = (5, 3)
    let (a, b, labels) = (values("a", 15), values("b", 15), labels(rows).map { $0 % 3 })
    let losses: [(Float, Bool, UnsafeMutablePointer<Float>) -> Float] = [
      { scale, accumulates, gradient in
        softmaxCrossEntropy(
          a, labels: labels, rows: rows, classes: classes, scale: scale, accumulates: accumulates,
          dLogits: gradient)
      },
      { scale, accumulates, gradient in
        bceWithLogits(
          a, labels: labels, rows: rows, classes: classes, scale: scale, accumulates: accumulates,
          dLogits: gradient)
      },
      { scale, accumulates, gradient in
        distillKL(
          student: a, teacher: b, rows: rows, classes: classes, temperature: 2, scale: scale,
          accumulates: accumulates, dStudent: gradient)
      },
      { scale, accumulates, gradient in
        twinL2(
          rotated: a, upright: b, rows: rows, classes: classes, scale: scale,
          accumulates: accumulates, dRotated: gradient, dUpright: nil)
      },
      { scale, accumulates, gradient in
        twinL2(
          rotated: a, upright: b, rows: rows, classes: classes, scale: scale,
          accumulates: accumulates, dRotated: nil, dUpright: gradient)
      },
    ]
    for (index, loss) in losses.enumerated() {
      var once = [Float](repeating: .nan, count: 15)
      var added = [Float](repeating: 1, count: 15)
      let value = loss(1, false, &once)
      XCTAssertEqual(loss(-2, true, &added), value, "the value is not scaled: loss \(index)")
      assertClose(added, once.map { 1 - 2 * $0 }, absolute: 2e-7, "loss \(index)")
    }
  }

  func testExtremeLogitsGiveFiniteLossesAndGradients() {
    let (large, label): ([Float], [Int64]) = ([80, -80, 80], [1])
    var gradient = [Float](repeating: .nan, count: 3)
    XCTAssertEqual(
      softmaxCrossEntropy(large, labels: label, rows: 1, classes: 3, dLogits: &gradient),
      160 + log(2), accuracy: 1e-4)
    assertClose(gradient, [0.5, -1, 0.5], absolute: 1e-7)
    XCTAssertEqual(
      bceWithLogits(large, labels: label, rows: 1, classes: 3, dLogits: &gradient), 80)
    assertClose(gradient, [1 / 3, -1 / 3, 1 / 3], absolute: 1e-7)
    let loss = distillKL(
      student: large, teacher: large.map { -$0 }, rows: 1, classes: 3, temperature: 1,
      dStudent: &gradient)
    XCTAssertEqual(loss, 160 + log(2), accuracy: 1e-4)
    assertClose(gradient, [0.5, -1, 0.5], absolute: 1e-7)
  }

  /// A NaN or an infinity anywhere, also in the last vector of a row, reaches the loss.
  func testValuesThatAreNotFiniteReachTheLoss() {
    for (place, value) in [(0, Float.nan), (6, .nan), (9, .nan), (10, .infinity), (3, .infinity)] {
      var a = values("a", 11)
      let b = values("b", 11)
      a[place] = value
      let losses = [
        softmaxCrossEntropy(a, labels: [1], rows: 1, classes: 11, dLogits: nil),
        bceWithLogits(a, labels: [1], rows: 1, classes: 11, dLogits: nil),
        distillKL(student: a, teacher: b, rows: 1, classes: 11, temperature: 1, dStudent: nil),
        distillKL(student: b, teacher: a, rows: 1, classes: 11, temperature: 1, dStudent: nil),
        twinL2(rotated: a, upright: b, rows: 1, classes: 11, dRotated: nil, dUpright: nil),
      ]
      XCTAssertTrue(losses.allSatisfy { !$0.isFinite }, "\(place) \(value) \(losses)")
    }
  }

  /// More rows than one chunk of work has.
  func testManyRowsHaveTheSameBitsForAnyNumberOfThreads() {
    let (rows, classes) = (3000, 13)
    let (a, b) = (values("a", rows * classes), values("b", rows * classes))
    let labels = (0..<rows).map { Int64($0 % classes) }
    let unset = [Float](repeating: .nan, count: rows * classes)
    let rowLabels = labels.map(Int.init)
    XCTAssertEqual(
      softmaxCrossEntropy(a, labels: labels, rows: rows, classes: classes, dLogits: nil),
      Float(naiveCrossEntropy(a, rowLabels)), accuracy: 1e-6)
    assertSameForAnyThreadCount {
      var (gradient, other, losses) = (unset, unset, [Float]())
      losses.append(
        softmaxCrossEntropy(
          a, labels: labels, rows: rows, classes: classes, dLogits: &gradient))
      losses.append(
        bceWithLogits(
          a, labels: labels, rows: rows, classes: classes, accumulates: true, dLogits: &gradient))
      losses.append(
        distillKL(
          student: a, teacher: b, rows: rows, classes: classes, temperature: 4,
          accumulates: true, dStudent: &gradient))
      losses.append(
        twinL2(
          rotated: a, upright: b, rows: rows, classes: classes, accumulates: true,
          dRotated: &gradient, dUpright: nil))
      _ = twinL2(
        rotated: a, upright: b, rows: rows, classes: classes, dRotated: nil, dUpright: &other)
      return [losses, gradient, other]
    }
  }

  // MARK: Golden values

  func testGoldenValues() throws {
    let fixture = try Fixture(named: "losses")
    let (logits, other) = (try fixture.floats("logits"), try fixture.floats("other"))
    let shape = try fixture.shape("logits")
    let targets = try fixture.integers("targets").map(Int64.init)
    for key in ["ce", "ce_smooth_rows"] {
      let rows = try fixture.shape(key + ".grad")[0]
      var gradient = [Float](repeating: .nan, count: rows * shape[1])
      let loss = softmaxCrossEntropy(
        logits, labels: targets, rows: rows, classes: shape[1], dLogits: &gradient)
      try fixture.assertLoss(key, loss, gradient)
    }
    for temperature in [4, 2, 1] {
      var gradient = [Float](repeating: .nan, count: logits.count)
      let loss = distillKL(
        student: logits, teacher: other, rows: shape[0], classes: shape[1],
        temperature: Float(temperature), dStudent: &gradient)
      try fixture.assertLoss("kl_t\(temperature)", loss, gradient)
    }
    var dRotated = [Float](repeating: .nan, count: logits.count)
    var dUpright = dRotated
    let twin = twinL2(
      rotated: logits, upright: other, rows: shape[0], classes: shape[1], dRotated: &dRotated,
      dUpright: &dUpright)
    try fixture.assertLoss("twin", twin, dRotated)
    assertClose(dUpright, try fixture.floats("twin.grad_other"), relative: 1e-6)

    let four = try fixture.floats("four")
    let fourShape = try fixture.shape("four")
    var gradient = [Float](repeating: .nan, count: four.count)
    let bce = bceWithLogits(
      four, labels: try fixture.integers("labels").map(Int64.init), rows: fourShape[0],
      classes: fourShape[1], dLogits: &gradient)
    try fixture.assertLoss("bce", bce, gradient)
  }

  // MARK: Naive references

  private func labels(_ rows: Int) -> [Int64] { (0..<rows).map { Int64($0 * 5 % 7) } }

  private func softmax(_ logits: [Float], _ temperature: Double = 1) -> [Double] {
    let powers: [Double] = logits.map { exp(Double($0) / temperature) }
    let sum: Double = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  private func row(_ logits: [Float], _ row: Int, of rows: Int) -> [Float] {
    let classes = logits.count / rows
    return Array(logits[row * classes..<(row + 1) * classes])
  }

  private func naiveCrossEntropy(_ logits: [Float], _ labels: [Int]) -> Double {
    var sum = 0.0
    for (r, label) in labels.enumerated() {
      sum -= log(softmax(row(logits, r, of: labels.count))[label])
    }
    return sum / Double(labels.count)
  }

  private func naiveBCE(_ logits: [Float], _ labels: [Int]) -> Double {
    let classes = logits.count / labels.count
    var sum = 0.0
    for i in logits.indices {
      let probability = 1 / (1 + exp(-Double(logits[i])))
      sum -= log(labels[i / classes] == i % classes ? probability : 1 - probability)
    }
    return sum / Double(logits.count)
  }

  private func naiveKL(
    _ student: [Float], _ teacher: [Float], _ rows: Int, _ temperature: Double
  ) -> Double {
    var sum = 0.0
    for r in 0..<rows {
      let p = softmax(row(teacher, r, of: rows), temperature)
      let q = softmax(row(student, r, of: rows), temperature)
      for c in p.indices { sum += p[c] * log(p[c] / q[c]) }
    }
    return temperature * temperature * sum / Double(rows)
  }

  private func naiveTwin(_ rotated: [Float], _ upright: [Float], _ rows: Int) -> Double {
    var sum = 0.0
    for r in 0..<rows {
      var squares = 0.0
      for (a, b) in zip(row(rotated, r, of: rows), row(upright, r, of: rows)) {
        let difference = Double(a) - Double(b)
        squares += difference * difference
      }
      sum += squares.squareRoot()
    }
    return sum / Double(rows)
  }
}

extension Fixture {
  fileprivate func assertLoss(
    _ key: String, _ loss: Float, _ gradient: [Float], file: StaticString = #filePath,
    line: UInt = #line
  ) throws {
    assertClose(
      [loss], [try float(key + ".value")], relative: 1e-6, key, file: file, line: line)
    assertClose(
      gradient, try floats(key + ".grad"), relative: 1e-6, key + ".grad", file: file, line: line)
  }
}
