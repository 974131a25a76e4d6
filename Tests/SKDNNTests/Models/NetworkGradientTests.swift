import SKDKernels
import SKDTestSupport
import XCTest

@testable import SKDNN

/// Backward passes of whole networks, with dropping, against differences of their forward passes.
final class NetworkGradientTests: XCTestCase {
  func testResNet12Gradients() throws {
    try check(.resnet12, imageSize: 16, widths: [4, 5, 6, 7], hasRotationHead: true)
  }

  func testResNet12GradientsAtAnOddSide() throws {
    try check(.resnet12, imageSize: 19, widths: [4, 4, 4, 4], hasRotationHead: false)
  }

  func testSEResNet12Gradients() throws {
    try check(.seresnet12, imageSize: 16, widths: [4, 8, 4, 8], hasRotationHead: false)
  }

  func testResNet18GradientsWithOneInputChannel() throws {
    try check(
      .resnet18, imageSize: 16, inputChannels: 1, widths: [4, 5, 6, 7], hasRotationHead: true)
  }

  func testGatedResNet24GradientsWithFourInputChannels() throws {
    try check(
      .resnet24, imageSize: 17, inputChannels: 4, widths: [4, 8, 4, 8], usesGates: true,
      hasRotationHead: false)
  }

  func testConvNet4Gradients() throws {
    try check(.convnet4, imageSize: 9, widths: [4, 5, 6, 7], hasRotationHead: true)
  }

  func testWideResNetGradients() throws {
    try check(.wideResNet28x10, imageSize: 5, widths: [4, 6, 8], hasRotationHead: false)
  }

  /// Batch norm keeps the activations away from the kinks of LeakyReLU (`moveAwayFromKinks`); the
  /// poolings' maxima may change their places.
  private func check(
    _ architecture: Architecture, imageSize: Int, inputChannels: Int = 2, widths: [Int],
    usesGates: Bool = false, hasRotationHead: Bool
  ) throws {
    let network = try Network(
      NetworkConfiguration(
        architecture: architecture, classCount: 5, imageSize: imageSize,
        inputChannels: inputChannels, widths: widths, usesGates: usesGates,
        dropRate: architecture == .convnet4 ? 0 : 0.1,
        hasRotationHead: hasRotationHead, seed: 1))
    network.store.moveAwayFromKinks()
    let images = try network.pool.filled(network.imageShape(batch: 6), "images")
    let context = TrainingContext(pool: network.pool, seed: 1, step: 50_000)
    let output = try network.forward(images, context)
    try network.backward(
      dLogits: try network.pool.coefficients(like: output.logits),
      dRotationLogits: try output.rotationLogits.map {
        try network.pool.coefficients(like: $0, "rotation coefficients")
      }, context)
    try assertParameterGradients(
      of: network.store, step: 2e-3, architecture.rawValue
    ) {
      let output = try network.forward(images, context)
      return weightedSum(output.logits)
        + (output.rotationLogits.map { weightedSum($0, "rotation coefficients") } ?? 0)
    }
  }

  func testRotationHeadReadsTheLogits() throws {
    let network = try smallNetwork()
    let images = try network.pool.filled(network.imageShape(batch: 2), "images")
    let output = try network.forward(
      images, TrainingContext(pool: network.pool, seed: 0, step: 0))
    let weight = try network.store.entry("rot_classifier.weight")
    let bias = try network.store.entry("rot_classifier.bias")
    XCTAssertEqual(weight.shape, [4, 3])
    let rotation = try XCTUnwrap(output.rotationLogits)
    var expected: [Float] = []
    for image in 0..<2 {
      for turn in 0..<4 {
        expected.append(
          (0..<3).reduce(bias.values[turn]) {
            $0 + weight.values[turn * weight.strides[0] + $1 * weight.strides[1]]
              * output.logits.pointer[image * 3 + $1]
          })
      }
    }
    assertClose(rotation.values, expected, relative: 1e-6)
  }

  func testRotationHeadHasNoGradientUnlessTheLossReadsIt() throws {
    let network = try smallNetwork()
    let head = network.store.trained.filter { $0.name.hasPrefix("rot_classifier") }
    let others = network.store.trained.filter { !$0.name.hasPrefix("rot_classifier") }
    XCTAssertEqual(head.count, 2)
    let images = try network.pool.filled(network.imageShape(batch: 2), "images")
    let context = TrainingContext(pool: network.pool, seed: 0, step: 0)
    for readsHead in [true, false, true] {
      let output = try network.forward(images, context)
      let dLogits = try network.pool.coefficients(like: output.logits)
      let before = dLogits.values
      try network.backward(
        dLogits: dLogits,
        dRotationLogits: readsHead
          ? try output.rotationLogits.map { try network.pool.coefficients(like: $0) } : nil,
        context)
      XCTAssertTrue(head.allSatisfy { $0.hasGradient == readsHead })
      XCTAssertTrue(others.allSatisfy(\.hasGradient))
      XCTAssertEqual(dLogits.values != before, readsHead, "what comes through the head is added")
    }
  }

  /// Validation in the middle of a step must not disturb it.
  func testEvaluationBetweenForwardAndBackwardChangesNoGradient() throws {
    for architecture in Architecture.allCases {
      let widths = [Int](repeating: 4, count: architecture.defaultWidths.count)
      let network = try Network(
        NetworkConfiguration(
          architecture: architecture, classCount: 3, imageSize: 16, widths: widths))
      let images = try network.pool.filled(network.imageShape(batch: 3), "images")
      let context = TrainingContext(pool: network.pool, seed: 0, step: 0)
      var gradients: [[[Float]]] = []
      for evaluates in [false, true] {
        let output = try network.forward(images, context)
        if evaluates {
          _ = try network.evaluate(
            try network.pool.filled(network.imageShape(batch: 2), "other images"))
        }
        try network.backward(
          dLogits: try network.pool.coefficients(like: output.logits), dRotationLogits: nil,
          context)
        gradients.append(
          network.store.trained.filter(\.hasGradient).map(\.storedGradient))
      }
      XCTAssertEqual(gradients[0], gradients[1], architecture.rawValue)
    }
  }

  private func smallNetwork() throws -> Network {
    try Network(
      NetworkConfiguration(
        architecture: .resnet12, classCount: 3, imageSize: 16, widths: [4, 4, 4, 4], dropRate: 0,
        hasRotationHead: true))
  }
}
