import SKDKernels
import SKDNN
import SKDTestSupport
import XCTest

/// Evaluation of every backbone against PyTorch, in the golden files `forward_BACKBONE_SIDE.npz`.
final class ForwardGoldenTests: XCTestCase {
  func testResNet12MatchesPyTorch() throws { try check("resnet12_ssl", .resnet12) }
  func testSEResNet12MatchesPyTorch() throws { try check("seresnet12", .seresnet12) }
  func testResNet18MatchesPyTorch() throws { try check("resnet18_ssl", .resnet18) }
  func testResNet24MatchesPyTorch() throws { try check("resnet24_ssl", .resnet24) }
  func testGatedResNet24MatchesPyTorch() throws {
    try check("seresnet24", .resnet24, usesGates: true)
  }
  func testConvNet4MatchesPyTorch() throws { try check("convnet4", .convnet4) }
  func testWideResNetMatchesPyTorch() throws { try check("wrn_28_10", .wideResNet28x10) }

  private func check(
    _ name: String, _ architecture: Architecture, usesGates: Bool = false
  ) throws {
    let files = try Fixture.names(startingWith: "forward_\(name)_")
    XCTAssertFalse(files.isEmpty)
    for file in files { try check(Fixture(named: file), architecture, usesGates, file) }
  }

  private func check(
    _ fixture: Fixture, _ architecture: Architecture, _ usesGates: Bool, _ file: String
  ) throws {
    let shape = try fixture.integers("meta.shape")
    let network = try filledNetwork(
      NetworkConfiguration(
        architecture: architecture, classCount: try fixture.integer("meta.classes"),
        imageSize: shape[2], inputChannels: shape[1], usesGates: usesGates,
        hasRotationHead: fixture.contains("rotation")),
      seed: try fixture.integer("seed.parameters"))
    let images = try network.pool.images(
      nchw: fill("input", shape: shape, seed: try fixture.integer("seed.input")), shape: shape)
    var stages: [Tensor] = []
    let output = try network.evaluate(images)
    let embedding = try network.embed(images) { _, features in stages.append(features) }
    XCTAssertEqual(embedding.values, output.embedding.values)
    XCTAssertEqual(stages.count, network.stageCount)
    for (i, stage) in stages.enumerated() {
      let key = "block\(i + 1)"
      let expected = try fixture.integers("\(key).shape")
      XCTAssertEqual(
        [stage.shape.batch, stage.shape.channels, stage.shape.height, stage.shape.width], expected)
      XCTAssertEqual(network.stageShape(i, batch: shape[0]), stage.shape)
      let values = stage.valuesNCHW
      assertClose(
        try fixture.integers("\(key).idx").map { values[$0] }, try fixture.floats("\(key).val"),
        relative: 1e-5, "\(file) \(key)")
      assertClose(
        means(values, positions: expected[2] * expected[3]), try fixture.floats("\(key).mean"),
        relative: 1e-5, "\(file) \(key).mean")
    }
    assertClose(
      output.embedding.values, try fixture.floats("feature"), relative: 1e-5, "\(file) feature")
    assertClose(output.logits.values, try fixture.floats("logits"), relative: 1e-5, file)
    XCTAssertEqual(output.rotationLogits != nil, fixture.contains("rotation"))
    if let rotation = output.rotationLogits {
      assertClose(rotation.values, try fixture.floats("rotation"), relative: 1e-5, file)
    }
  }

  private func means(_ values: [Float], positions: Int) -> [Float] {
    stride(from: 0, to: values.count, by: positions).map { start in
      Float(values[start..<start + positions].reduce(0.0) { $0 + Double($1) } / Double(positions))
    }
  }
}
