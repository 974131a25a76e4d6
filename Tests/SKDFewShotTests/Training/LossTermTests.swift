import SKDNN
import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDFewShot

/// Terms that join the loss from outside.
final class LossTermTests: XCTestCase {
  private let labels: [Int64] = [0, 1, 2]
  private let images = fill("images", shape: [3 * 16 * 16 * 3], seed: 1)

  private func trainer(_ objective: any Objective) throws -> Trainer {
    let network = try Network(
      NetworkConfiguration(
        architecture: .resnet12, classCount: 3, imageSize: 16, widths: [8, 8, 8, 8], dropRate: 0,
        seed: 1))
    return try Trainer(
      network: network, objective: objective,
      optimizer: try SGD(network.store, learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4),
      seed: 7)
  }

  /// sum of coefficients * rows: its gradient are the coefficients.
  private final class Linear {
    let coefficients: [Float]
    let memory: UnsafeMutablePointer<Float>
    var inputs: [LossTerm.Input] = []

    init(count: Int) {
      coefficients = fill("coefficients", shape: [count], seed: 3)
      memory = .allocate(capacity: count)
      memory.update(from: coefficients, count: count)
    }

    deinit { memory.deallocate() }

    func term(_ source: LossTerm.Source, weight: Float, value: Double? = nil) -> LossTerm {
      LossTerm(name: "linear", source: source, weight: weight) { input in
        self.inputs.append(input)
        let rows = input.rows.values
        XCTAssertEqual(rows.count, self.coefficients.count)
        let sum = zip(rows, self.coefficients).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        return (value ?? sum, UnsafePointer(self.memory))
      }
    }
  }

  private func gradients(_ trainer: Trainer) -> [[Float]] {
    trainer.network.store.entries.filter(\.hasGradient).map { entry in
      Array(UnsafeBufferPointer(start: entry.gradient, count: entry.count))
    }
  }

  func testATermAddsItsWeightedValueAndIsGivenAllViews() throws {
    let trainer = try trainer(Generation0Objective(rotationWeight: 2))
    let alone = try trainer.loss(images: images, labels: labels, batch: 3)
    for (source, dimensions) in [(LossTerm.Source.logits, 3), (.embedding, 8)] {
      let linear = Linear(count: 12 * dimensions)
      let losses = try trainer.loss(
        images: images, labels: labels, batch: 3,
        terms: [linear.term(source, weight: -0.5, value: 3)])
      XCTAssertEqual(losses.total, alone.total - 1.5, accuracy: 1e-5)
      XCTAssertEqual(losses.crossEntropy, alone.crossEntropy)
      let input = try XCTUnwrap(linear.inputs.first)
      XCTAssertEqual(linear.inputs.count, 1)
      XCTAssertEqual(input.images, 3)
      XCTAssertEqual(input.views, [.none, .quarterTurn, .halfTurn, .threeQuarterTurn])
      XCTAssertEqual(input.labels?[2], 2)
    }
  }

  /// Along a gradient the difference quotient of the total is the gradient's length.
  func testGradientsContainTheTermsAndMatchFiniteDifferences() throws {
    for source in [LossTerm.Source.logits, .embedding] {
      let trainer = try trainer(SupervisedObjective())
      let linear = Linear(count: 3 * (source == .logits ? 3 : 8))
      let terms = [linear.term(source, weight: 0.7), linear.term(source, weight: 0.3)]
      func total() throws -> Double {
        Double(try trainer.loss(images: images, labels: labels, batch: 3, terms: terms).total)
      }
      _ = try total()
      let names = ["layer4.0.bn3.weight", "layer4.0.bn3.bias", "layer3.0.conv2.weight"]
      for entry in trainer.network.store.entries where names.contains(entry.name) {
        _ = try total()
        let gradient = Array(UnsafeBufferPointer(start: entry.gradient, count: entry.count))
        let length = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let start = Array(UnsafeBufferPointer(start: entry.values, count: entry.count))
        func value(at distance: Float) throws -> Double {
          for (i, value) in start.enumerated() {
            entry.values[i] = value + distance * gradient[i] / Float(length)
          }
          return try total()
        }
        let quotient = try (value(at: 2e-3) - value(at: -2e-3)) / 4e-3
        for (i, value) in start.enumerated() { entry.values[i] = value }
        XCTAssertEqual(quotient, length, accuracy: 2e-2 * length, "\(source) \(entry.name)")
      }
    }
  }

  func testATermOfWeightZeroChangesNoBit() throws {
    for source in [LossTerm.Source.logits, .embedding] {
      let trainer = try trainer(SupervisedObjective())
      let alone = try trainer.loss(images: images, labels: labels, batch: 3)
      let expected = gradients(trainer)
      let linear = Linear(count: 3 * (source == .logits ? 3 : 8))
      let losses = try trainer.loss(
        images: images, labels: labels, batch: 3, terms: [linear.term(source, weight: 0)])
      XCTAssertEqual(losses, alone)
      XCTAssertEqual(gradients(trainer), expected)
    }
  }

  func testWhatATermThrowsOrANonFiniteTermEndsTheStepAndChangesNothing() throws {
    let trainer = try trainer(SupervisedObjective())
    let before = trainer.network.store.entries.filter { $0.kind == .parameter }.map { entry in
      Array(UnsafeBufferPointer(start: entry.values, count: entry.count))
    }
    let infinite = Linear(count: 9)
    infinite.memory[8] = .infinity
    let claims: [(LossTerm, String)] = [
      (Linear(count: 9).term(.logits, weight: 1, value: .nan), "term 'linear' of step 1"),
      (infinite.term(.logits, weight: 1), "the gradient of term 'linear' of step 1"),
      (
        Linear(count: 9).term(.logits, weight: 3e38, value: 1e30),
        "the loss with its terms of step 1"
      ),
      (
        LossTerm(name: "own", source: .logits, weight: 1) { _ in
          throw SKDError.callbackFailed("own failure")
        }, "own failure"
      ),
    ]
    for (term, message) in claims {
      XCTAssertThrowsError(
        try trainer.step(images: images, labels: labels, batch: 3, terms: [term]), message
      ) { error in
        let actual = (error as? SKDError)?.message ?? ""
        XCTAssertTrue(actual.contains(message), actual)
      }
      let after = trainer.network.store.entries.filter { $0.kind == .parameter }.map { entry in
        Array(UnsafeBufferPointer(start: entry.values, count: entry.count))
      }
      XCTAssertEqual(after, before)
      XCTAssertEqual(trainer.stepCount, 0)
    }
  }
}
