import SKDKernels
import SKDTestSupport
import XCTest

@testable import SKDNN

/// Backward passes of the layers against differences of their forward passes.
final class LayerGradientTests: XCTestCase {
  private func shape(_ batch: Int, _ side: Int, _ channels: Int) -> ImageShape {
    ImageShape(batch: batch, height: side, width: side, channels: channels)
  }

  func testConvolutionGradients() throws {
    for (kernelSize, stride, hasBias, side) in [
      (3, 1, true, 5), (3, 1, false, 4), (3, 2, true, 5), (3, 2, false, 6), (1, 1, false, 3),
      (1, 2, true, 5), (3, 1, true, 1), (3, 2, true, 1),
    ] {
      let store = try ParameterStore()
      let layer = Conv2DLayer(
        "conv", in: store, inputs: 3, outputs: 7, kernelSize: kernelSize, stride: stride,
        hasBias: hasBias)
      try store.allocate(seed: 1)
      try assertLayerGradients(
        store, shape(2, side, 3), "kernel \(kernelSize) stride \(stride) side \(side)",
        forward: { try layer.forward($0, $1) }, backward: { try layer.backward($0, $1) })
    }
  }

  func testConvolutionLeavesOutTheInputGradientThatNobodyNeeds() throws {
    let store = try ParameterStore()
    let layer = Conv2DLayer(
      "conv", in: store, inputs: 3, outputs: 4, kernelSize: 3, hasBias: true)
    try store.allocate(seed: 1)
    let pool = BufferPool()
    let images = try pool.filled(shape(2, 4, 3), "images")
    let dOutput = try pool.filled(shape(2, 4, 4), "dOutput")
    _ = try layer.forward(images, pool)
    XCTAssertNotNil(try layer.backward(dOutput, pool))
    let gradient = layer.weight.storedGradient
    layer.weight.gradient.update(repeating: .nan, count: layer.weight.count)
    _ = try layer.forward(images, pool)
    XCTAssertNil(try layer.backward(dOutput, needsInputGradient: false, pool))
    XCTAssertEqual(layer.weight.storedGradient, gradient)
  }

  func testLinearGradients() throws {
    let store = try ParameterStore()
    let layer = Conv2DLayer(linear: "linear", in: store, inputs: 5, outputs: 3)
    try store.allocate(seed: 1)
    try assertLayerGradients(
      store, shape(4, 1, 5), forward: { try layer.forward($0, $1) },
      backward: { try layer.backward($0, $1) })
  }

  func testBatchNormGradients() throws {
    for slope in [1, 0.1, 0] as [Float] {
      let store = try ParameterStore()
      let layer = try BatchNormLayer("bn", in: store, channels: 5, slope: slope)
      try store.allocate(seed: 1)
      store.moveAwayFromKinks()
      try assertLayerGradients(
        store, shape(3, 3, 5), step: 1e-3, "slope \(slope)",
        forward: { try layer.forward($0, TrainingContext(pool: $1, seed: 0, step: 0)) },
        backward: {
          try layer.backward($0, TrainingContext(pool: $1, seed: 0, step: 0))
          return $0
        })
    }
  }

  /// What two convolutions do with the batch norm between them, against passes of its own.
  func testNormBetweenConvolutionsMatchesSeparatePasses() throws {
    let cases = [(2, 5, 3, 5, 4), (3, 6, 32, 7, 3), (16, 30, 32, 96, 64), (64, 10, 64, 192, 256)]
    for (batch, side, inputs, hidden, outputs) in cases {
      let store = try ParameterStore()
      let first = convolution("first", in: store, inputs, hidden)
      let norm = try BatchNormLayer("bn", in: store, channels: hidden, slope: 0.1)
      let second = convolution("second", in: store, hidden, outputs)
      try store.allocate(seed: 1)
      store.moveAwayFromKinks()
      let pool = BufferPool()
      let images = try pool.filled(
        ImageShape(batch: batch, height: side, width: side, channels: inputs), "images")

      let context = TrainingContext(pool: pool, seed: 0, step: 0)
      let expected = try second.forward(norm.forward(first.forward(images, pool), context), pool)
      let dOutput = try pool.filled(expected.shape, "dOutput")
      let dHidden = try XCTUnwrap(second.backward(dOutput, pool))
      try norm.backward(dHidden, context)
      let dExpected = try XCTUnwrap(first.backward(dHidden, pool))
      let gradients = store.entries.map(\.gradientValues)

      let (raw, moments) = try first.forward(DeferredActivation(images), pool)
      let (actual, _) = try second.forward(norm.forward(raw, moments: moments, context), pool)
      let (masked, sums) = try second.backward(dOutput, through: norm, pool)
      try norm.backward(masked, sums: sums, into: masked, context)
      let addend = try pool.filled(images.shape, "addend")
      let dActual = try XCTUnwrap(first.backward(masked, adding: addend, pool))

      let name = "\(batch)x\(side)x\(side), \(inputs) -> \(hidden) -> \(outputs)"
      assertClose(actual.values, expected.values, relative: 1e-5, name)
      let sum = zip(dExpected.values, addend.values).map { $0 + $1 }
      assertClose(dActual.values, sum, relative: 1e-5, name)
      for (entry, gradient) in zip(store.entries, gradients) where entry.kind == .parameter {
        assertClose(entry.gradientValues, gradient, relative: 2e-5, "\(entry.name), \(name)")
      }
    }
  }

  private func convolution(
    _ name: String, in store: ParameterStore, _ inputs: Int, _ outputs: Int
  ) -> Conv2DLayer {
    Conv2DLayer(
      name, in: store, inputs: inputs, outputs: outputs, kernelSize: 3, hasBias: false)
  }

  func testBatchNormRefusesOneValuePerChannel() throws {
    let store = try ParameterStore()
    let layer = try BatchNormLayer("bn", in: store, channels: 3)
    try store.allocate(seed: 1)
    let pool = BufferPool()
    let image = try pool.filled(shape(1, 1, 3), "image")
    let context = TrainingContext(pool: pool, seed: 0, step: 0)
    XCTAssertThrowsError(try layer.forward(image, context)) {
      assertRefused($0, "input of BatchNormLayer must have at least 2 values per channel; got 1")
    }
  }

  /// The few hidden units are far from the kink of their ReLU with this seed.
  func testSqueezeExcitationGradients() throws {
    for (channels, side) in [(8, 3), (3, 1), (13, 2)] {
      let store = try ParameterStore()
      let layer = SqueezeExcitationLayer("se", in: store, channels: channels)
      try store.allocate(seed: 1)
      try assertLayerGradients(
        store, shape(2, side, channels), step: 3e-3, "\(channels) channels",
        forward: { try layer.forward($0, $1) }, backward: { try layer.backward($0, $1) })
    }
  }

  /// Seed and step fix the mask, so that differences see one and the same function.
  func testDropGradients() throws {
    let store = try ParameterStore()
    try store.allocate(seed: 1)
    for kind in [DropLayer.Kind.dropout, .dropBlock(blockSize: 2)] {
      let layer = try DropLayer(kind, rate: 0.3, index: 1)
      try assertLayerGradients(
        store, shape(3, 5, 4), "\(kind)",
        forward: {
          try layer.forward($0, TrainingContext(pool: $1, seed: 5, step: 50_000))
          return $0
        },
        backward: { gradient, pool in
          layer.backward(gradient, TrainingContext(pool: pool, seed: 5, step: 50_000))
          return gradient
        })
    }
  }

  func testDropsDependOnSeedStepAndLayerOnly() throws {
    for kind in [DropLayer.Kind.dropout, .dropBlock(blockSize: 2)] {
      func dropped(seed: UInt64, step: Int, index: Int) throws -> [Float] {
        let layer = try DropLayer(kind, rate: 0.3, index: index)
        let pool = BufferPool()
        let ones = try pool.tensor(shape(2, 5, 4), [Float](repeating: 1, count: 200))
        try layer.forward(ones, TrainingContext(pool: pool, seed: seed, step: step))
        return ones.values
      }
      let reference = try dropped(seed: 1, step: 50_000, index: 2)
      XCTAssertTrue(reference.contains(0))
      XCTAssertTrue(reference.contains { $0 > 1 })
      XCTAssertEqual(try dropped(seed: 1, step: 50_000, index: 2), reference)
      XCTAssertNotEqual(try dropped(seed: 2, step: 50_000, index: 2), reference)
      XCTAssertNotEqual(try dropped(seed: 1, step: 50_001, index: 2), reference)
      XCTAssertNotEqual(try dropped(seed: 1, step: 50_000, index: 3), reference)
    }
  }

  func testDropOfRateZeroChangesNothing() throws {
    let layer = try DropLayer(.dropout, rate: 0, index: 0)
    let pool = BufferPool()
    let tensor = try pool.filled(shape(1, 2, 3), "images")
    let before = tensor.values
    let context = TrainingContext(pool: pool, seed: 0, step: 0)
    try layer.forward(tensor, context)
    layer.backward(tensor, context)
    XCTAssertEqual(tensor.values, before)
  }

  /// Side 5 has a row and a column that pooling leaves out; sides 2 and 3 leave one pixel. The step
  /// is small for the pooling, whose maximum may change its place, and the tolerance is for float32
  /// at so small a step.
  func testResidualBlockGradients() throws {
    for (side, isGated, pools, kind) in [
      (5, false, true, DropLayer.Kind.dropout), (5, true, true, .dropBlock(blockSize: 1)),
      (4, true, true, .dropout), (4, false, true, .dropBlock(blockSize: 2)),
      (2, false, true, .dropout), (3, true, true, .dropout), (3, false, false, .dropout),
      (4, true, false, .dropBlock(blockSize: 2)),
    ] {
      let store = try ParameterStore()
      let stage = try ResidualBlock(
        "layer1.0", in: store, inputs: pools ? 3 : 8, outputs: 8, pools: pools, isGated: isGated,
        drop: try DropLayer(kind, rate: 0.2, index: 0))
      try store.allocate(seed: 1)
      store.moveAwayFromKinks()
      func context(_ pool: BufferPool) -> TrainingContext {
        TrainingContext(pool: pool, seed: 3, step: 50_000)
      }
      try assertLayerGradients(
        store, shape(12, side, pools ? 3 : 8), step: 5e-4, tolerance: 2e-2,
        "side \(side), gated: \(isGated), pools: \(pools)",
        forward: { try stage.forward($0, context($1)) },
        backward: { try stage.backward($0, needsInputGradient: true, context($1)) })
    }
  }
}
