import SKDKernels
import SKDTestSupport
import XCTest

@testable import SKDFewShot
@testable import SKDNN

/// The objectives at logits whose losses one can compute by hand.
final class ObjectiveTests: XCTestCase {
  private let pool = BufferPool()

  private func vectors(_ rows: [[Float]]) throws -> Tensor {
    let tensor = try pool.vectors(rows.count, dimensions: rows[0].count)
    for (i, value) in rows.joined().enumerated() { tensor.pointer[i] = value }
    return tensor
  }

  private func losses(
    _ objective: any Objective, images: Int, labels: [Int64]?, logits: [[Float]],
    rotationLogits: [[Float]]? = nil, teacher: [[Float]]? = nil, rotations: [Rotation]? = nil
  ) throws -> (losses: Losses, dLogits: [Float], dRotationLogits: [Float]?) {
    let output = NetworkOutput(
      embedding: try pool.scratch(1), logits: try vectors(logits),
      rotationLogits: try rotationLogits.map(vectors))
    // What was there before must not matter: gradients are overwritten.
    let gradients = LogitGradients(
      logits: try vectors(logits.map { $0.map { _ in .nan } }),
      rotationLogits: try rotationLogits.map { try vectors($0.map { $0.map { _ in .nan } }) })
    let losses = try objective.losses(
      of: output, images: images,
      rotations: rotations ?? objective.views.flatMap { [Rotation](repeating: $0, count: images) },
      labels: labels,
      teacherLogits: try teacher.map(vectors), gradients: gradients)
    return (losses, gradients.logits.values, gradients.rotationLogits?.values)
  }

  /// Two classes at logits 0 and ln 3: probabilities 1/4 and 3/4.
  func testSupervisedLossIsTheMeanCrossEntropy() throws {
    let ln3 = Float(3).logarithm
    let result = try losses(
      SupervisedObjective(), images: 2, labels: [1, 0], logits: [[0, ln3], [0, 0]])
    assertClose(
      [result.losses.total], [(Float(4.0 / 3).logarithm + Float(2).logarithm) / 2], relative: 1e-6)
    XCTAssertEqual(result.losses.total, result.losses.crossEntropy)
    XCTAssertEqual(result.losses.accuracy, 1)
    assertClose(result.dLogits, [0.125, -0.125, -0.25, 0.25], relative: 1e-6)
    XCTAssertEqual(result.losses.rotation, 0)
    XCTAssertEqual(result.losses.twin, 0)
  }

  /// All logits 0: the cross-entropy of two classes and the binary one are both ln 2.
  func testGeneration0AddsAlphaTimesTheRotationLoss() throws {
    let objective = Generation0Objective(rotationWeight: 2)
    XCTAssertEqual(objective.views, [.none, .quarterTurn, .halfTurn, .threeQuarterTurn])
    let zeros = [[Float]](repeating: [0, 0], count: 8)
    let result = try losses(
      objective, images: 2, labels: [0, 1], logits: zeros,
      rotationLogits: [[Float]](repeating: [0, 0, 0, 0], count: 8))
    let ln2 = Float(2).logarithm
    assertClose(
      [result.losses.crossEntropy, result.losses.rotation, result.losses.total],
      [ln2, ln2, 3 * ln2], relative: 1e-6)
    // Equal logits: the first class and no rotation are predicted.
    XCTAssertEqual(result.losses.accuracy, 0.5)
    XCTAssertEqual(result.losses.rotationAccuracy, 0.25)
    let perView: [Float] = [-0.5, 0.5, 0.5, -0.5].map { $0 / 8 }
    assertClose(result.dLogits, perView + perView + perView + perView, relative: 1e-6)
    // alpha / 32 entries * (1/2 - one-hot), two images for each rotation.
    let expected = (0..<32).map { i in Float(2) / 32 * (i % 4 == i / 8 ? -0.5 : 0.5) }
    assertClose(try XCTUnwrap(result.dRotationLogits), expected, relative: 1e-6)
  }

  /// Two views of each image: the rotation head is told the rotation that each row has.
  func testGeneration0ReadsTheRotationsThatWereDrawn() throws {
    let objective = Generation0Objective(rotationWeight: 2, viewsPerImage: 2)
    let rotations: [Rotation] = [.threeQuarterTurn, .none, .quarterTurn, .halfTurn]
    let certain = rotations.map { rotation in
      (0..<4).map { $0 == rotation.rawValue ? Float(40) : -40 }
    }
    let zeros = [[Float]](repeating: [0, 0], count: 4)
    let result = try losses(
      objective, images: 2, labels: [0, 1], logits: zeros, rotationLogits: certain,
      rotations: rotations)
    XCTAssertEqual(result.losses.rotation, 0, accuracy: 1e-12)
    XCTAssertEqual(result.losses.rotationAccuracy, 1)
    assertClose(
      result.dLogits, [-0.5, 0.5, 0.5, -0.5, -0.5, 0.5, 0.5, -0.5].map { $0 / 4 }, relative: 1e-6)
  }

  /// Teacher and student agree, so only the distance of twins is left: 5 by Pythagoras.
  func testGeneration1AddsBetaTimesTheMeanTwinDistance() throws {
    let both = Generation1Objective(
      twinWeight: 0.5, temperature: 4, twins: [.halfTurn, .quarterTurn], passesAllViews: false)
    let result = try losses(
      both, images: 1, labels: nil, logits: [[0, 0], [3, 4], [0, 1]], teacher: [[0, 0]])
    assertClose([result.losses.twin, result.losses.total], [3, 1.5], relative: 1e-6)
    XCTAssertEqual(result.losses.distillation, 0)
    XCTAssertEqual(result.losses.accuracy, 0)
    assertClose(result.dLogits, [-0.15, -0.45, 0.15, 0.2, 0, 0.25], relative: 1e-6)
  }

  /// Softened by T = 2 the teacher says 3/4 and 1/4, the student 1/2 each.
  func testGeneration1DistillsAtItsTemperature() throws {
    let objective = Generation1Objective(
      twinWeight: 1, temperature: 2, twins: [.halfTurn], passesAllViews: false)
    let result = try losses(
      objective, images: 1, labels: [0], logits: [[1, 1], [1, 1]],
      teacher: [[2 * Float(3).logarithm, 0]])
    let divergence = 0.75 * Float(1.5).logarithm + 0.25 * Float(0.5).logarithm
    assertClose(
      [result.losses.distillation, result.losses.total], [4 * divergence, 4 * divergence],
      relative: 1e-6)
    XCTAssertEqual(result.losses.accuracy, 1)
    assertClose(result.dLogits, [-0.5, 0.5, 0, 0], relative: 1e-6)
  }

  /// Cross-entropy ln 2 at equal logits; softened by T = 2 the teacher says 3/4 and 1/4.
  func testDistilledWeighsTheLabelsAndTheTeacher() throws {
    let objective = DistilledObjective(
      crossEntropyWeight: 0.5, distillationWeight: 0.25, temperature: 2)
    XCTAssertEqual(objective.views, [.none])
    let result = try losses(
      objective, images: 1, labels: [1], logits: [[1, 1]],
      teacher: [[2 * Float(3).logarithm, 0]])
    let divergence = 4 * (0.75 * Float(1.5).logarithm + 0.25 * Float(0.5).logarithm)
    let ln2 = Float(2).logarithm
    assertClose(
      [result.losses.crossEntropy, result.losses.distillation, result.losses.total],
      [ln2, divergence, 0.5 * ln2 + 0.25 * divergence], relative: 1e-6)
    XCTAssertEqual(result.losses.accuracy, 0)
    // 0.5 * (1/2, -1/2) + 0.25 * T * (1/2 - 3/4, 1/2 - 1/4)
    assertClose(result.dLogits, [0.25 - 0.125, -0.25 + 0.125], relative: 1e-6)
  }

  /// The file has the cross-entropy and the divergence at T = 4 of the same logits.
  func testDistilledMatchesPyTorch() throws {
    let fixture = try Fixture(named: "losses")
    let shape = [6, 7]
    func matrix(_ key: String) throws -> [[Float]] {
      let values = try fixture.floats(key)
      return (0..<shape[0]).map { Array(values[$0 * shape[1]..<($0 + 1) * shape[1]]) }
    }
    func half(_ key: String) throws -> [Float] {
      zip(try fixture.floats("ce.\(key)"), try fixture.floats("kl_t4.\(key)")).map {
        0.5 * $0 + 0.5 * $1
      }
    }
    let result = try losses(
      DistilledObjective(crossEntropyWeight: 0.5, distillationWeight: 0.5, temperature: 4),
      images: shape[0],
      labels: try fixture.integers("targets").map { Int64($0) }, logits: try matrix("logits"),
      teacher: try matrix("other"))
    assertClose([result.losses.total], try half("value"), relative: 1e-6)
    assertClose(result.dLogits, try half("grad"), relative: 1e-6)
  }

  func testDistilledGradientMatchesFiniteDifferences() throws {
    let objective = DistilledObjective(
      crossEntropyWeight: 0.5, distillationWeight: 0.5, temperature: 4)
    let (rows, classes) = (3, 5)
    let logits = fill("logits", shape: [rows * classes], seed: 1)
    let teacher = fill("teacher", shape: [rows * classes], seed: 1).map { 6 * $0 }
    func matrix(_ values: [Float]) -> [[Float]] {
      stride(from: 0, to: values.count, by: classes).map { Array(values[$0..<$0 + classes]) }
    }
    func result(_ values: [Float]) throws -> (losses: Losses, dLogits: [Float], [Float]?) {
      try losses(
        objective, images: rows, labels: [4, 0, 2], logits: matrix(values),
        teacher: matrix(teacher))
    }
    // The total is float32: its rounding, divided by the step, is what the tolerance covers.
    assertGradient(
      try result(logits).dLogits,
      of: { values in (try? Double(result(values).losses.total)) ?? .nan }, at: logits,
      step: 1e-2, tolerance: 1e-3)
  }

  /// A view that is no twin has no gradient; it is passed for the batch statistics alone.
  func testGeneration1ReadsOnlyItsTwins() throws {
    let objective = Generation1Objective(
      twinWeight: 1, temperature: 4, twins: [.quarterTurn], passesAllViews: true)
    XCTAssertEqual(objective.views, [.none, .halfTurn, .quarterTurn, .threeQuarterTurn])
    let result = try losses(
      objective, images: 1, labels: nil, logits: [[0, 0], [7, 7], [3, 4], [9, 1]],
      teacher: [[0, 0]])
    assertClose([result.losses.twin], [5], relative: 1e-6)
    assertClose(result.dLogits, [-0.6, -0.8, 0, 0, 0.6, 0.8, 0, 0], relative: 1e-6)
  }

  func testGeneration1PassesTheUprightImageFirstThenItsTwins() {
    let objective = Generation1Objective(
      twinWeight: 1, temperature: 4, twins: [.threeQuarterTurn, .quarterTurn], passesAllViews: false
    )
    XCTAssertEqual(objective.views, [.none, .threeQuarterTurn, .quarterTurn])
    XCTAssertEqual(SupervisedObjective().views, [.none])
  }
}

extension Float {
  fileprivate var logarithm: Float { Float(log(Double(self))) }
}
