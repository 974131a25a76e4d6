import SKDKernels
import SKDNN
import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDFewShot

/// What a training step changes, and what it leaves.
final class TrainerTests: XCTestCase {
  private static let twins = Generation1Objective(
    twinWeight: 0.1, temperature: 4, twins: [.halfTurn, .quarterTurn], passesAllViews: false)
  private static let allViews = Generation1Objective(
    twinWeight: 0.1, temperature: 4, twins: [.halfTurn], passesAllViews: true)
  private let objectives: [any Objective] = [
    SupervisedObjective(), Generation0Objective(rotationWeight: 2), twins, allViews,
    DistilledObjective(crossEntropyWeight: 0.5, distillationWeight: 0.5, temperature: 4),
  ]
  private let labels: [Int64] = [0, 1, 2]

  private func network(
    classCount: Int = 3, imageSize: Int = 16, width: Int = 8, dropRate: Float = 0.2,
    hasRotationHead: Bool = true, seed: UInt64 = 1
  ) throws -> Network {
    try Network(
      NetworkConfiguration(
        architecture: .resnet12, classCount: classCount, imageSize: imageSize,
        widths: [width, width, width, width], dropRate: dropRate,
        hasRotationHead: hasRotationHead, seed: seed))
  }

  private func trainer(
    _ objective: any Objective, width: Int = 8, network: Network? = nil, teacher: Network? = nil
  ) throws -> Trainer {
    let network = try network ?? self.network(width: width)
    let isTaught = objective.needsTeacher
    return try Trainer(
      network: network,
      teacher: isTaught ? try teacher ?? self.network(width: width, seed: 2) : nil,
      objective: objective,
      optimizer: try SGD(network.store, learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4),
      seed: 7)
  }

  private func images(scale: Float = 1) -> [Float] {
    fill("images", shape: [3 * 16 * 16 * 3], seed: 1).map { scale * $0 }
  }

  private func bits(_ network: Network, _ kinds: Set<StateKind>) -> [[UInt32]] {
    network.store.entries.filter { kinds.contains($0.kind) }.map { entry in
      entry.kind == .counter
        ? [UInt32(entry.counter.pointee)]
        : (0..<entry.count).map { entry.values[$0].bitPattern }
    }
  }

  private func bits(_ network: Network) -> [[UInt32]] {
    bits(network, [.parameter, .buffer, .counter])
  }

  func testStepsAfterTheFirstAllocateNoBuffers() throws {
    for objective in objectives {
      let trainer = try trainer(objective)
      let images = images()
      try trainer.requireStepMemory(batch: 3)
      _ = try trainer.step(images: images, labels: labels, batch: 3)
      let allocated = allocatedBufferCount
      for _ in 0..<3 { _ = try trainer.step(images: images, labels: labels, batch: 3) }
      XCTAssertEqual(allocatedBufferCount, allocated, "\(objective)")
    }
  }

  /// A network made for 24 pixels that trains on 16 does what one made for 16 does: weights and
  /// DropBlock's squares do not depend on the size that it was made for.
  func testAStepOnAnotherSideIsThatOfANetworkOfThatSide() throws {
    for objective in objectives {
      let networks = try [16, 24].map { try network(imageSize: $0) }
      let teachers = try [16, 24].map { try network(imageSize: $0, seed: 2) }
      let trainers = try zip(networks, teachers).map {
        try trainer(objective, network: $0, teacher: $1)
      }
      for _ in 0..<2 {
        let own = try trainers[0].step(images: images(), labels: labels, batch: 3)
        let other = try trainers[1].step(images: images(), labels: labels, batch: 3, side: 16)
        XCTAssertEqual(own, other)
      }
      XCTAssertEqual(bits(networks[0]), bits(networks[1]), objective.name)
    }
  }

  /// Over many steps each rotation is seen; the loss is finite and falls.
  func testRandomViewsTrain() throws {
    let trainer = try trainer(Generation0Objective(rotationWeight: 2, viewsPerImage: 2))
    let first = try trainer.step(images: images(), labels: labels, batch: 3)
    var last = first
    for _ in 0..<30 { last = try trainer.step(images: images(), labels: labels, batch: 3) }
    XCTAssertLessThan(last.total, first.total)
  }

  func testTermsAreRefusedWhereViewsAreRandom() throws {
    let trainer = try trainer(Generation0Objective(rotationWeight: 2, viewsPerImage: 2))
    let before = bits(trainer.network)
    let term = LossTerm(name: "own", source: .logits, weight: 1) {
      (0, UnsafePointer($0.rows.pointer))
    }
    XCTAssertThrowsError(
      try trainer.step(images: images(), labels: labels, batch: 3, terms: [term])
    ) { assertRefused($0, "terms of Trainer.step must be left out") }
    XCTAssertEqual(bits(trainer.network), before)
  }

  func testLossIsThatOfTheStepAndChangesNothing() throws {
    for objective in objectives {
      let trainer = try trainer(objective)
      for step in 0..<2 {
        let before = bits(trainer.network)
        let taught = trainer.teacher.map(bits)
        let first = try trainer.loss(images: images(), labels: labels, batch: 3)
        let second = try trainer.loss(images: images(), labels: labels, batch: 3)
        XCTAssertEqual(first, second)
        XCTAssertEqual(bits(trainer.network), before)
        XCTAssertEqual(trainer.stepCount, step)
        XCTAssertEqual(try trainer.step(images: images(), labels: labels, batch: 3), first)
        XCTAssertEqual(trainer.teacher.map(bits), taught, "the teacher is frozen")
      }
    }
  }

  func testStepChangesParametersStatisticsAndCounters() throws {
    for objective in objectives {
      let trainer = try trainer(objective)
      for kind in [StateKind.parameter, .buffer, .counter] {
        let before = bits(trainer.network, [kind])
        _ = try trainer.step(images: images(), labels: labels, batch: 3)
        let after = bits(trainer.network, [kind])
        let names = trainer.network.store.entries.filter { $0.kind == kind }.map(\.name)
        for (name, (old, new)) in zip(names, zip(before, after)) {
          let isUnread = name.hasPrefix("rot") && !(objective is Generation0Objective)
          XCTAssertEqual(old == new, isUnread, "\(objective) \(name)")
        }
      }
      XCTAssertEqual(trainer.stepCount, 3)
    }
  }

  func testNonFiniteStepThrowsAndChangesNothing() throws {
    for objective in objectives {
      for isImage in [true, false] {
        let trainer = try trainer(objective)
        _ = try trainer.step(images: images(), labels: labels, batch: 3)
        if !isImage {
          for entry in trainer.network.store.entries where entry.name == "classifier.weight" {
            entry.values.update(repeating: 3e38, count: entry.count)
          }
          trainer.network.store.markChanged()
        }
        let before = bits(trainer.network)
        // Squares of 1e25 overflow in the variance.
        let images = images(scale: isImage ? 1e25 : 1)
        XCTAssertThrowsError(try trainer.step(images: images, labels: labels, batch: 3)) {
          guard case SKDError.nonFinite(let message) = $0 else { return XCTFail("\($0)") }
          XCTAssertTrue(message.contains("step 2"), message)
          XCTAssertTrue(message.contains("nothing was updated"), message)
        }
        XCTAssertEqual(bits(trainer.network), before)
        XCTAssertEqual(trainer.stepCount, 1)
      }
    }
  }

  func testStepsAreTheSameBitsWithAnyNumberOfThreads() throws {
    let threadCount = WorkerPool.shared.threadCount
    defer { WorkerPool.shared.threadCount = threadCount }
    for objective in objectives[1...] {
      var results: [[[UInt32]]] = []
      for threads in 1...3 {
        WorkerPool.shared.threadCount = threads
        let trainer = try trainer(objective, width: 32)
        var losses: [UInt32] = []
        for _ in 0..<2 {
          losses.append(
            try trainer.step(images: images(), labels: labels, batch: 3).total.bitPattern)
        }
        results.append(bits(trainer.network) + [losses])
      }
      XCTAssertEqual(results[1], results[0])
      XCTAssertEqual(results[2], results[0])
    }
  }

  /// The batch holds all upright images, then all in each further view: these make the statistics.
  func testBatchHoldsTheViewsOneAfterTheOther() throws {
    for objective in objectives {
      let trainer = try trainer(objective)
      let reference = try trainer.network.clone()
      let turns = objective.views.map(\.quarterTurns)
      let tensor = try reference.pool.tensor(reference.imageShape(batch: 3 * turns.count))
      for (i, turns) in turns.enumerated() {
        rotateImages(
          images(), batch: 3, side: 16, channels: 3, quarterTurns: turns,
          into: tensor.pointer + i * 3 * 16 * 16 * 3)
      }
      _ = try reference.forward(
        tensor, TrainingContext(pool: reference.pool, seed: 7, step: 0))
      reference.commitStatistics()
      _ = try trainer.step(images: images(), labels: labels, batch: 3)
      XCTAssertEqual(
        bits(trainer.network, [.buffer, .counter]), bits(reference, [.buffer, .counter]))
    }
  }

  func testLabelsOfGeneration1AreForTheAccuracyOnly() throws {
    let (with, without) = (try trainer(Self.twins), try trainer(Self.twins))
    var losses = try with.step(images: images(), labels: [0, 0, 0], batch: 3)
    losses.accuracy = 0
    XCTAssertEqual(try without.step(images: images(), labels: nil, batch: 3), losses)
    XCTAssertEqual(bits(with.network), bits(without.network))
    XCTAssertThrowsError(
      try trainer(SupervisedObjective()).step(images: images(), labels: nil, batch: 3)
    ) { assertRefused($0, "labels of Trainer.step must be given") }
  }

  func testUnfitNetworksAreRefused() throws {
    let student = try network()
    let gen0 = Generation0Objective(rotationWeight: 2)
    let distilled = DistilledObjective(
      crossEntropyWeight: 0.5, distillationWeight: 0.5, temperature: 4)
    let claims: [(any Objective, Network, Network?, String)] = [
      (
        gen0, try network(hasRotationHead: false), nil,
        "network of Trainer must have a rotation head"
      ),
      (Self.twins, student, nil, "teacher of Trainer must be a model for Gen1; got none"),
      (Self.twins, student, student, "teacher of Trainer must be another model"),
      (Self.twins, student, try network(classCount: 4), "number of classes, 3; got 4"),
      (Self.twins, student, try network(imageSize: 17), "image size, 16; got 17"),
      (distilled, student, nil, "teacher of Trainer must be a model for Distilled"),
      (distilled, student, try network(classCount: 4), "number of classes, 3; got 4"),
      (gen0, student, try network(), "teacher of Trainer must be left out for Gen0"),
      (gen0, student, student, "teacher of Trainer must be left out for Gen0"),
      (SupervisedObjective(), student, try network(imageSize: 32), "left out for Supervised"),
    ]
    for (objective, network, teacher, message) in claims {
      XCTAssertThrowsError(
        try Trainer(
          network: network, teacher: teacher, objective: objective,
          optimizer: try SGD(network.store, learningRate: 0.1, momentum: 0, weightDecay: 0),
          seed: 0), message
      ) { assertRefused($0, message) }
    }
  }

  func testBatchTooSmallForBatchNormIsRefusedAndChangesNothing() throws {
    // At 16 pixels the last stage's convolutions see 2x2 pixels: one image will do.
    let trainer = try trainer(SupervisedObjective())
    XCTAssertNoThrow(try trainer.step(images: images(), labels: labels, batch: 1))
    let network = try Network(
      NetworkConfiguration(
        architecture: .convnet4, classCount: 3, imageSize: 8, widths: [4, 4, 4, 4]))
    let before = bits(network)
    let small = try self.trainer(SupervisedObjective(), network: network)
    XCTAssertThrowsError(try small.step(images: images(), labels: labels, batch: 1)) {
      assertRefused($0, "input of BatchNormLayer must have at least 2 values per channel; got 1")
    }
    XCTAssertEqual(bits(network), before)
    XCTAssertEqual(small.stepCount, 0)
  }
}
