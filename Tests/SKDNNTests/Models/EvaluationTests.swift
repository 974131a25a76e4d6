import SKDKernels
import SKDTestSupport
import XCTest

@testable import SKDNN

/// Running statistics, and evaluation with batch norms folded into the convolutions.
final class EvaluationTests: XCTestCase {
  private let shape = ImageShape(batch: 2, height: 6, width: 6, channels: 3)

  /// Folding rounds the weights once more: some 1e-7 relative each, over sums of 27 products.
  func testFoldedBatchNormEqualsLayerByLayer() throws {
    for (kernelSize, stride, hasBias, slope) in [
      (3, 1, false, 0.1), (3, 1, true, 0), (3, 2, true, 0), (1, 1, false, 1), (1, 2, true, 1),
    ] as [(Int, Int, Bool, Float)] {
      let store = try ParameterStore()
      let convolution = Conv2DLayer(
        "conv", in: store, inputs: 3, outputs: 9, kernelSize: kernelSize, stride: stride,
        hasBias: hasBias)
      let norm = try BatchNormLayer("bn", in: store, channels: 9, slope: slope)
      try store.allocate(seed: 1)
      for entry in store.entries where entry.kind != .counter {
        entry.storedValues = fill(entry.name, shape: entry.shape, seed: 3)
      }
      let pool = BufferPool()
      let input = try pool.filled(shape, "input")
      let apart = try norm.evaluate(try convolution.evaluate(input, pool), pool)
      store.markChanged()
      let folded = try convolution.evaluate(input, pool, folding: norm, slope: slope)
      assertClose(
        folded.values, apart.values, relative: 2e-6,
        "kernel \(kernelSize) stride \(stride) slope \(slope)")
    }
  }

  /// Few tiles read the weights as kernels, many read them transformed; the sums are the same.
  func testBatchesOfAnySizeReadTheWeightsOfOneLayer() throws {
    let store = try ParameterStore()
    let convolution = Conv2DLayer(
      "conv", in: store, inputs: 160, outputs: 160, kernelSize: 3, hasBias: true)
    try store.allocate(seed: 1)
    let pool = BufferPool()
    for batches in [[1, 24, 1], [24, 2, 24]] {
      let outputs = try batches.map { batch in
        let shape = ImageShape(batch: batch, height: 12, width: 12, channels: 160)
        let input = try pool.tensor(shape)
        let image = fill("image", shape: [shape.count / batch], seed: 2)
        for i in 0..<shape.count { input.pointer[i] = image[i % image.count] }
        return try convolution.evaluate(input, pool).values
      }
      let count = outputs[0].count / batches[0]  // of one image
      XCTAssertEqual(Array(outputs[0].prefix(count)), Array(outputs[1].suffix(count)))
      XCTAssertEqual(outputs[0], outputs[2])
    }
  }

  private func network(_ architecture: Architecture) throws -> Network {
    try filledNetwork(
      NetworkConfiguration(
        architecture: architecture, classCount: 3, imageSize: 16,
        widths: [Int](repeating: 8, count: architecture.defaultWidths.count)), seed: 4)
  }

  /// They are kept until the state is said to have changed.
  func testFoldedWeightsFollowTheState() throws {
    for architecture in Architecture.allCases {
      let (network, other) = (try network(architecture), try network(architecture))
      let images = try network.pool.filled(network.imageShape(batch: 2), "images")
      let before = try network.evaluate(images).logits.values
      XCTAssertEqual(try network.evaluate(images).logits.values, before)
      func change(_ network: Network, where isMeant: (StateEntry) -> Bool) {
        for entry in network.store.entries where entry.kind != .counter && isMeant(entry) {
          entry.storedValues = entry.storedValues.map { 1.25 * $0 + 0.01 }
        }
      }
      change(network) { $0.shape.count == 4 }
      XCTAssertEqual(try network.evaluate(images).logits.values, before)
      change(network) { $0.shape.count != 4 }
      change(other) { _ in true }
      for changed in [network, other] { changed.store.markChanged() }
      let after = try network.evaluate(images).logits.values
      XCTAssertNotEqual(after, before)
      XCTAssertEqual(after, try other.evaluate(images).logits.values, architecture.rawValue)
    }
  }

  /// Other batches may take other algorithms, whose sums round differently.
  func testEvaluationOfAnImageDoesNotDependOnItsBatch() throws {
    for architecture in Architecture.allCases {
      let network = try network(architecture)
      let count = Network.evaluationBatch + 3
      let images = fill("images", shape: [count * network.imageShape(batch: 1).count], seed: 1)
      var together = [Float](repeating: .nan, count: 3 * count)
      try network.evaluate(
        images: images, batch: count, embeddings: nil, logits: &together, rotationLogits: nil)
      for image in [0, Network.evaluationBatch, count - 1] {
        var alone = [Float](repeating: .nan, count: 3)
        try network.evaluate(
          images: Array(images.dropFirst(image * images.count / count)), batch: 1,
          embeddings: nil, logits: &alone, rotationLogits: nil)
        assertClose(
          alone, Array(together[3 * image..<3 * image + 3]), absolute: 1e-4,
          "\(architecture.rawValue) \(image)")
      }
    }
  }

  func testStageOutputsHaveTheAnnouncedShape() throws {
    for architecture in Architecture.allCases {
      let network = try network(architecture)
      let images = try network.pool.filled(network.imageShape(batch: 3), "images")
      var shapes: [ImageShape] = []
      _ = try network.embed(images) {
        XCTAssertEqual($0, shapes.count); shapes.append($1.shape)
      }
      XCTAssertEqual(
        shapes, (0..<network.stageCount).map { network.stageShape($0, batch: 3) },
        architecture.rawValue)
    }
  }

  // MARK: Running statistics

  func testRunningStatisticsChangeAtCommitOnly() throws {
    for architecture in Architecture.allCases {
      let network = try network(architecture)
      func state() -> [[Float]] {
        network.store.entries.filter { $0.kind == .buffer }.map(\.storedValues)
      }
      func counters() -> Set<Int64> {
        Set(network.store.entries.filter { $0.kind == .counter }.map(\.counter.pointee))
      }
      let images = try network.pool.filled(network.imageShape(batch: 3), "images")
      let before = state()
      let output = try network.forward(
        images, TrainingContext(pool: network.pool, seed: 0, step: 0))
      try network.backward(
        dLogits: try network.pool.coefficients(like: output.logits), dRotationLogits: nil,
        TrainingContext(pool: network.pool, seed: 0, step: 0))
      _ = try network.evaluate(images)
      XCTAssertEqual(state(), before)
      XCTAssertEqual(counters(), [0])
      network.commitStatistics()
      for (old, new) in zip(before, state()) { XCTAssertNotEqual(old, new) }
      XCTAssertEqual(counters(), [1])
    }
  }

  /// Values 1, 3 of one channel: mean 2, unbiased variance 2; the momentum is PyTorch's.
  func testCommitMovesTheRunningStatisticsByTheMomentum() throws {
    for momentum in [0.1, 0.9] as [Float] {
      let store = try ParameterStore()
      let norm = try BatchNormLayer("bn", in: store, channels: 1, momentum: momentum)
      try store.allocate(seed: 0)
      let pool = BufferPool()
      let input = try pool.tensor(
        ImageShape(batch: 2, height: 1, width: 1, channels: 1), [1, 3])
      _ = try norm.forward(input, TrainingContext(pool: pool, seed: 0, step: 0))
      norm.commitStatistics()
      assertClose(
        try store.entry("bn.running_mean").storedValues, [momentum * 2], relative: 1e-6)
      assertClose(
        try store.entry("bn.running_var").storedValues, [1 - momentum + momentum * 2],
        relative: 1e-6)
    }
  }
}
