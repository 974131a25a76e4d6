import SKDKernels
import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDNN

/// State dicts, configuration, initial values and clones.
final class NetworkTests: XCTestCase {
  private func small(
    _ architecture: Architecture = .resnet12, seed: UInt64 = 1, dropRate: Float? = nil
  ) throws -> Network {
    try Network(
      NetworkConfiguration(
        architecture: architecture, classCount: 3, imageSize: 16,
        widths: [Int](repeating: 4, count: architecture.defaultWidths.count), dropRate: dropRate,
        seed: seed))
  }

  // MARK: State dict

  /// 12,424,320 is what the published model has; 64 classes and the rotation head add to it.
  func testResNet12HasThePublishedParameterCount() throws {
    let network = try Network(
      NetworkConfiguration(architecture: .resnet12, classCount: 64, imageSize: 84))
    XCTAssertEqual(network.store.parameterCount, 12_465_604)
    let heads = network.store.trained.filter { $0.name.contains("classifier") }
    XCTAssertEqual(
      heads.map(\.name),
      ["classifier.weight", "classifier.bias", "rot_classifier.weight", "rot_classifier.bias"])
    XCTAssertEqual(heads.map(\.shape), [[64, 640], [64], [4, 64], [4]])
    XCTAssertEqual(12_465_604 - heads.reduce(0) { $0 + $1.count }, 12_424_320)
    XCTAssertEqual(network.embeddingDimension, 640)
    XCTAssertEqual(network.configuration.dropBlockSizes, [5, 5])
  }

  func testResNet12StateIsInPyTorchsOrder() throws {
    let network = try Network(
      NetworkConfiguration(
        architecture: .resnet12, classCount: 7, imageSize: 16, widths: [2, 3, 4, 5]))
    func norm(_ name: String) -> [String] {
      ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map {
        "\(name).\($0)"
      }
    }
    var expected: [String] = []
    for layer in 1...4 {
      for i in 1...3 {
        expected.append("layer\(layer).0.conv\(i).weight")
        expected += norm("layer\(layer).0.bn\(i)")
      }
      expected.append("layer\(layer).0.downsample.0.weight")
      expected += norm("layer\(layer).0.downsample.1")
    }
    expected += [
      "classifier.weight", "classifier.bias", "rot_classifier.weight", "rot_classifier.bias",
    ]
    XCTAssertEqual(network.store.entries.map(\.name), expected)
    for (name, shape) in [
      ("layer1.0.conv1.weight", [2, 3, 3, 3]), ("layer2.0.conv1.weight", [3, 2, 3, 3]),
      ("layer2.0.conv3.weight", [3, 3, 3, 3]), ("layer4.0.downsample.0.weight", [5, 4, 1, 1]),
      ("layer3.0.bn2.weight", [4]), ("layer3.0.bn2.running_var", [4]),
      ("layer3.0.bn2.num_batches_tracked", []), ("classifier.weight", [7, 5]),
      ("rot_classifier.weight", [4, 7]),
    ] {
      XCTAssertEqual(try network.store.entry(name).shape, shape, name)
    }
    XCTAssertEqual(
      network.store.entries.map(\.kind).filter { $0 == .counter }.count, 16)
  }

  func testEntriesDoNotOverlapAndTheirElementsFillThem() throws {
    for architecture in Architecture.allCases {
      let network = try small(architecture)
      let store = network.store
      for kind in [StateKind.parameter, .buffer] {
        var end = 0
        for entry in store.entries where entry.kind == kind {
          XCTAssertGreaterThanOrEqual(entry.offset, end)
          end = entry.offset + entry.count
          var offsets: [Int] = []
          var positions: [Int] = []
          entry.forEachElement {
            positions.append($0); offsets.append($1)
          }
          XCTAssertEqual(positions, Array(0..<entry.count), entry.name)
          XCTAssertEqual(offsets.sorted(), Array(0..<entry.count), entry.name)
        }
      }
    }
  }

  // MARK: Configuration

  func testBadConfigurationsNameTheArgument() {
    typealias Make = () throws -> NetworkConfiguration
    let claims: [(String, Make)] = [
      (
        "classCount of NetworkConfiguration must be in 1...1000000; got 0",
        { try NetworkConfiguration(architecture: .resnet12, classCount: 0, imageSize: 32) }
      ),
      (
        "classCount of NetworkConfiguration",
        { try NetworkConfiguration(architecture: .convnet4, classCount: .max, imageSize: 32) }
      ),
      (
        "imageSize of NetworkConfiguration must be at least 16 and at most 4096 for resnet12; got 15",
        { try NetworkConfiguration(architecture: .resnet12, classCount: 2, imageSize: 15) }
      ),
      (
        "must be at least 8 and at most 4096 for convnet4; got 7",
        { try NetworkConfiguration(architecture: .convnet4, classCount: 2, imageSize: 7) }
      ),
      (
        "inputChannels of NetworkConfiguration must be in 1...4; got 5",
        {
          try NetworkConfiguration(
            architecture: .seresnet12, classCount: 2, imageSize: 32, inputChannels: 5)
        }
      ),
      (
        "usesGates of NetworkConfiguration must be left out for convnet4",
        {
          try NetworkConfiguration(
            architecture: .convnet4, classCount: 2, imageSize: 32, usesGates: true)
        }
      ),
      (
        "widths of NetworkConfiguration must have 3 entries for wrn_28_10; got 4",
        {
          try NetworkConfiguration(
            architecture: .wideResNet28x10, classCount: 2, imageSize: 32, widths: [1, 2, 3, 4])
        }
      ),
      (
        "widths of NetworkConfiguration must be in 1...8192; got 0 at index 2",
        {
          try NetworkConfiguration(
            architecture: .resnet12, classCount: 2, imageSize: 32, widths: [1, 2, 0, 4])
        }
      ),
      (
        "dropRate of NetworkConfiguration must be in [0, 1); got 1.0",
        {
          try NetworkConfiguration(
            architecture: .resnet12, classCount: 2, imageSize: 32, dropRate: 1)
        }
      ),
      (
        "dropRate of NetworkConfiguration must be in [0, 1); got nan",
        {
          try NetworkConfiguration(
            architecture: .resnet12, classCount: 2, imageSize: 32, dropRate: .nan)
        }
      ),
      (
        "must be at least 1 and at most 2 for resnet12; got 3",
        {
          try NetworkConfiguration(
            architecture: .resnet12, classCount: 2, imageSize: 32, dropBlockSize: 3)
        }
      ),
      (
        "dropBlockSize of NetworkConfiguration must be left out for convnet4",
        {
          try NetworkConfiguration(
            architecture: .convnet4, classCount: 2, imageSize: 32, dropBlockSize: 3)
        }
      ),
    ]
    for (message, make) in claims {
      XCTAssertThrowsError(try make(), message) { assertRefused($0, message) }
    }
  }

  func testDefaultsFollowTheArchitectureAndTheImages() throws {
    let ofSmall = try NetworkConfiguration(architecture: .resnet12, classCount: 2, imageSize: 32)
    XCTAssertEqual(ofSmall.dropBlockSizes, [2, 2])
    XCTAssertEqual(ofSmall.widths, [64, 160, 320, 640])
    XCTAssertEqual(ofSmall.inputChannels, 3)
    XCTAssertTrue(ofSmall.hasRotationHead)
    let smallest = try NetworkConfiguration(architecture: .resnet12, classCount: 2, imageSize: 16)
    XCTAssertEqual(smallest.dropBlockSizes, [2, 1])
    for architecture in Architecture.allCases {
      let configuration = try NetworkConfiguration(
        architecture: architecture, classCount: 2, imageSize: 32)
      XCTAssertEqual(
        configuration.hasRotationHead, [.resnet12, .resnet18, .resnet24].contains(architecture))
      XCTAssertEqual(configuration.usesGates, architecture == .seresnet12)
    }
  }

  // MARK: Initial values

  /// 36,864 draws: the mean is off by 1/192 of the deviation and the deviation by 1/270 of itself,
  /// so four times that is granted.
  func testConvolutionsStartAsHeSays() throws {
    let network = try Network(
      NetworkConfiguration(
        architecture: .resnet12, classCount: 5, imageSize: 16, widths: [64, 64, 64, 64]))
    let values = try network.store.entry("layer4.0.conv3.weight").storedValues.map(Double.init)
    let expected = (2.0 / (64 * 9)).squareRoot()
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    XCTAssertEqual(mean, 0, accuracy: 4 * expected / 192)
    XCTAssertEqual(variance.squareRoot(), expected, accuracy: 4 * expected / 270)
    let other = try network.store.entry("layer4.0.conv2.weight").storedValues.map(Double.init)
    let product = zip(values, other).reduce(0) { $0 + $1.0 * $1.1 } / Double(values.count)
    XCTAssertEqual(product / (expected * expected), 0, accuracy: 4.0 / 192, "entries correlate")
  }

  func testLinearLayersStartUniformAndBatchNormsNeutral() throws {
    let network = try small()
    for name in ["classifier.weight", "classifier.bias"] {
      let values = try network.store.entry(name).storedValues
      XCTAssertTrue(values.allSatisfy { $0.magnitude <= 0.5 }, "1 / sqrt(4 inputs)")
      XCTAssertGreaterThan(Set(values).count, 1)
    }
    for entry in network.store.entries where entry.name.contains(".bn") {
      switch entry.kind {
      case .counter: XCTAssertEqual(entry.counter.pointee, 0)
      case .parameter, .buffer:
        let isOne = entry.name.hasSuffix("weight") || entry.name.hasSuffix("running_var")
        XCTAssertTrue(entry.storedValues.allSatisfy { $0 == (isOne ? 1 : 0) }, entry.name)
      }
    }
  }

  func testSeedDecidesTheInitialValues() throws {
    let name = "layer2.0.conv1.weight"
    let networks = try [1, 1, 2].map { try small(seed: $0) }
    let values = try networks.map { try $0.store.entry(name).storedValues }
    XCTAssertEqual(values[0], values[1])
    XCTAssertNotEqual(values[0], values[2])
  }

  // MARK: Clone

  func testCloneIsEqualAndSharesNothing() throws {
    let network = try small()
    let images = try network.pool.filled(network.imageShape(batch: 3), "images")
    _ = try network.forward(images, TrainingContext(pool: network.pool, seed: 0, step: 0))
    network.commitStatistics()
    let logits = try network.evaluate(images).logits.values
    let clone = try network.clone()
    XCTAssertEqual(clone.configuration, network.configuration)
    XCTAssertEqual(try clone.store.entry("layer1.0.bn1.num_batches_tracked").counter.pointee, 1)
    XCTAssertEqual(try clone.evaluate(images).logits.values, logits)
    for entry in network.store.entries where entry.kind != .counter {
      entry.storedValues = entry.storedValues.map { $0 + 1 }
    }
    network.store.markChanged()
    XCTAssertEqual(try clone.evaluate(images).logits.values, logits)
    XCTAssertNotEqual(try network.evaluate(images).logits.values, logits)
  }

  // MARK: Memory

  func testRepeatedStepsSoonAllocateNothing() throws {
    for architecture in Architecture.allCases {
      let network = try small(architecture)
      func step(_ number: Int) throws {
        let images = try network.pool.filled(network.imageShape(batch: 3), "images")
        let context = TrainingContext(pool: network.pool, seed: 0, step: number)
        let output = try network.forward(images, context)
        try network.backward(
          dLogits: try network.pool.coefficients(like: output.logits), dRotationLogits: nil,
          context)
        network.commitStatistics()
        network.pool.forgetTensors()
      }
      for number in 0..<2 { try step(number) }
      let (live, allocated) = (liveBufferBytes, allocatedBufferCount)
      for number in 2..<5 { try step(number) }
      XCTAssertEqual(liveBufferBytes, live, architecture.rawValue)
      XCTAssertEqual(allocatedBufferCount, allocated, architecture.rawValue)
    }
  }
}
