import SKDFewShot
import SKDKernels
import SKDNN
import SKDRuntime
import XCTest

/// What a step or an evaluation takes, told before it and held against what the buffers take.
final class StepMemoryTests: XCTestCase {
  private struct Case {
    var architecture = Architecture.resnet12
    var imageSize = 16
    var widths: [Int]?
    var usesGates = false
    var precision = Precision.float32
    var batch = 2

    func configuration() throws -> NetworkConfiguration {
      try NetworkConfiguration(
        architecture: architecture, classCount: 5, imageSize: imageSize,
        widths: widths ?? [Int](repeating: 32, count: architecture.defaultWidths.count),
        usesGates: usesGates, hasRotationHead: true, precision: precision)
    }
  }

  /// The first block of Gen-0 goes by Winograd.
  private static let large = Case(imageSize: 32, batch: 5)

  private let cases = [
    Case(), Case(widths: [5, 7, 9, 11]), Case(imageSize: 33, batch: 3), Case(usesGates: true),
    StepMemoryTests.large, Case(imageSize: 32, precision: .bfloat16, batch: 5),
    Case(architecture: .seresnet12), Case(architecture: .resnet18), Case(architecture: .resnet24),
    Case(architecture: .convnet4),
    Case(architecture: .wideResNet28x10), Case(imageSize: 84, widths: [16, 16, 16, 16], batch: 1),
    Case(widths: [64, 160, 320, 640], batch: 1),
  ]

  private let objectives: [any Objective] = [
    SupervisedObjective(), Generation0Objective(rotationWeight: 2),
    Generation0Objective(rotationWeight: 2, viewsPerImage: 2),
    Generation1Objective(
      twinWeight: 0.1, temperature: 4, twins: [.halfTurn], passesAllViews: false),
    Generation1Objective(
      twinWeight: 0.1, temperature: 4, twins: Rotation.allCases.filter { $0 != .none },
      passesAllViews: true),
    DistilledObjective(crossEntropyWeight: 0.5, distillationWeight: 0.5, temperature: 4),
  ]

  private func trainer(_ example: Case, _ objective: any Objective) throws -> Trainer {
    let network = try Network(example.configuration())
    return try Trainer(
      network: network,
      teacher: objective.needsTeacher ? try Network(example.configuration()) : nil,
      objective: objective,
      optimizer: try SGD(network.store, learningRate: 0.01, momentum: 0.9, weightDecay: 0),
      seed: 1)
  }

  private func step(_ trainer: Trainer, batch: Int) throws {
    let count = trainer.network.imageShape(batch: batch).count
    let images = (0..<count).map { Float($0 % 17) / 8 - 1 }
    _ = try trainer.step(images: images, labels: (0..<batch).map { Int64($0 % 5) }, batch: batch)
  }

  func testTheLargeCaseGoesByWinograd() {
    let images = ImageShape(
      batch: 4 * Self.large.batch, height: Self.large.imageSize, width: Self.large.imageSize,
      channels: 32)
    let algorithm = Conv2DAlgorithm(
      for: Conv2DGeometry(input: images, outputChannels: 32, kernelSize: 3, stride: 1, padding: 1))
    XCTAssertEqual(algorithm, .winograd)
  }

  func testTheEstimateOfAStepIsWhatItsBuffersHold() throws {
    for (number, example) in cases.enumerated() {
      for (kind, objective) in objectives.enumerated() where number == 0 || 1...2 ~= kind {
        let before = liveBufferBytes
        let trainer = try trainer(example, objective)
        let estimate = try trainer.stepMemory(batch: example.batch)
        for _ in 0..<2 { try step(trainer, batch: example.batch) }
        let allocated = allocatedBufferCount
        for _ in 0..<3 { try step(trainer, batch: example.batch) }
        XCTAssertEqual(liveBufferBytes - before, estimate, "\(example) \(objective.name)")
        XCTAssertEqual(allocatedBufferCount, allocated, "\(example) \(objective.name)")
      }
    }
  }

  func testTheEstimateOfAnEvaluationIsWhatItsBuffersHold() throws {
    for (number, example) in cases.enumerated() {
      for batch in number == 1 ? [1, 64, 67, 200] : [1, 5] {
        let before = liveBufferBytes
        let network = try Network(example.configuration())
        let estimate = try network.evaluationMemory(batch: batch)
        let images = [Float](repeating: 0.5, count: network.imageShape(batch: batch).count)
        try network.requireEvaluationMemory(batch: batch)
        try network.evaluate(
          images: images, batch: batch, embeddings: nil, logits: nil, rotationLogits: nil)
        XCTAssertEqual(liveBufferBytes - before, estimate, "\(example) \(batch)")
      }
    }
  }

  func testAskingAllocatesNothingAndLeavesTheGradients() throws {
    let trainer = try trainer(Case(), Generation0Objective(rotationWeight: 2))
    try step(trainer, batch: 3)
    let (live, count) = (liveBufferBytes, allocatedBufferCount)
    let gradients = trainer.network.store.entries.map(\.hasGradient)
    XCTAssertGreaterThan(try trainer.stepMemory(batch: 1 << 20), 1 << 40)
    XCTAssertGreaterThan(try trainer.network.evaluationMemory(batch: 1 << 20), 1 << 20)
    try trainer.requireStepMemory(batch: 4)
    XCTAssertEqual(liveBufferBytes, live)
    XCTAssertEqual(allocatedBufferCount, count)
    XCTAssertEqual(trainer.network.store.entries.map(\.hasGradient), gradients)
  }

  func testWhatTheMachineLacksIsRefusedByName() throws {
    let trainer = try trainer(Case(), Generation0Objective(rotationWeight: 2))
    for (batch, further) in [(1 << 24, 0), (2, 1 << 50)] {
      XCTAssertThrowsError(
        try trainer.requireStepMemory(batch: batch, furtherBytes: further)
      ) { error in
        guard case SKDError.outOfMemory(let message) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(
          message.contains("a training step of Gen0 on \(batch) images does not fit"), message)
      }
    }
  }

  /// Memory that the passes have already counts as there.
  func testHeldMemoryIsNotAskedForAgain() throws {
    let trainer = try trainer(Case(), Generation0Objective(rotationWeight: 2))
    XCTAssertEqual(trainer.network.heldForPasses, 0)
    for _ in 0..<2 { try step(trainer, batch: 3) }
    let (held, peak) = (trainer.network.heldForPasses, try trainer.stepMemory(batch: 3))
    XCTAssertGreaterThan(held, peak / 2)
    XCTAssertLessThan(held, peak)
    try trainer.requireStepMemory(
      batch: 3, furtherBytes: MachineMemory.availableBytes() - (peak - held) / 2)
  }

  /// The block of the passes serves every extent: it is as large as the largest alone needs.
  func testPassesOfManyExtentsHoldWhatTheLargestNeeds() throws {
    let example = Case(imageSize: 32, widths: [16, 16, 32, 32])
    for batches in [[1, 2, 3, 5, 8, 13], [13, 8, 5, 3, 2, 1], [5, 13, 1, 8, 2, 3, 13]] {
      let before = liveBufferBytes
      let trainer = try trainer(example, Generation0Objective(rotationWeight: 2))
      let estimate = try trainer.stepMemory(batch: 13)
      for batch in batches {
        try trainer.requireStepMemory(batch: batch)
        try step(trainer, batch: batch)
      }
      XCTAssertEqual(liveBufferBytes - before, estimate, "\(batches)")
    }
    for batches in [[1, 7, 30, 64], [64, 30, 7, 1], [30, 64, 1, 7]] {
      let before = liveBufferBytes
      let network = try Network(example.configuration())
      let images = [Float](repeating: 0.5, count: network.imageShape(batch: 64).count)
      for batch in batches {
        try network.requireEvaluationMemory(batch: batch)
        try network.evaluate(
          images: images, batch: batch, embeddings: nil, logits: nil, rotationLogits: nil)
      }
      let passes = network.heldForPasses
      let alone = try Network(example.configuration())
      try alone.requireEvaluationMemory(batch: 64)
      try alone.evaluate(
        images: images, batch: 64, embeddings: nil, logits: nil, rotationLogits: nil)
      XCTAssertEqual(passes, alone.heldForPasses, "\(batches)")
      XCTAssertGreaterThan(liveBufferBytes, before)
    }
  }

  /// What failed steps leave behind neither stays nor gets in the way of the next ones.
  func testAFailedStepLeavesTheMemoryToTheNext() throws {
    let trainer = try trainer(Case(), Generation0Objective(rotationWeight: 2))
    let count = trainer.network.imageShape(batch: 3).count
    for _ in 0..<2 { try step(trainer, batch: 3) }
    let (live, allocated) = (liveBufferBytes, allocatedBufferCount)
    for _ in 0..<3 {
      let images = [Float](repeating: .nan, count: count)
      XCTAssertThrowsError(try trainer.step(images: images, labels: [0, 1, 2], batch: 3))
      try step(trainer, batch: 3)
    }
    XCTAssertEqual(liveBufferBytes, live)
    XCTAssertEqual(allocatedBufferCount, allocated)
  }
}
