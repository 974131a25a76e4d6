import SKDFewShot
import SKDKernels
import SKDRuntime
import SKDTestSupport
import XCTest

final class AugmentationTests: XCTestCase {
  private let full = Augmentation(mode: .full, padding: 4, seed: 1, epoch: 2)

  func testChoicesCoverTheirRangesEvenly() {
    let count = 9_000
    let drawn = (0..<count).map { full.choices(stream: $0) }
    XCTAssertEqual(Set(drawn.map(\.top)), Set(0...8))
    XCTAssertEqual(Set(drawn.map(\.left)), Set(0...8))
    // 0.5 within four standard deviations of a binomial.
    XCTAssertEqual(
      Double(drawn.filter(\.isFlipped).count) / Double(count), 0.5, accuracy: 0.022)
    var orders: [String: Int] = [:]
    var factors: [Float] = []
    for choices in drawn {
      let names = choices.operations.map { operation -> String in
        switch operation {
        case .brightness(let factor), .contrast(let factor), .saturation(let factor):
          factors.append(factor)
          return "\(operation)".prefix(1).description
        }
      }
      orders[names.joined(), default: 0] += 1
    }
    XCTAssertEqual(orders.count, 6)
    XCTAssertTrue(orders.values.allSatisfy { (1_300...1_700).contains($0) }, "\(orders)")
    XCTAssertTrue(factors.allSatisfy { (0.6...1.4).contains($0) })
    XCTAssertEqual(factors.reduce(0, +) / Float(factors.count), 1, accuracy: 0.01)
  }

  func testChoicesDependOnSeedEpochStreamAndPurpose() {
    let original = full.choices(stream: 5)
    XCTAssertEqual(full.choices(stream: 5), original)
    XCTAssertNotEqual(full.choices(stream: 6), original)
    for change in [
      { $0.seed = 9 }, { $0.epoch = 3 }, { $0.isForSupport = true },
    ] as [(inout Augmentation) -> Void] {
      var other = full
      change(&other)
      XCTAssertNotEqual(other.choices(stream: 5), original)
    }
  }

  func testModesLimitTheChoices() {
    var augmentation = full
    augmentation.mode = .cropFlip
    augmentation.usesFlips = false
    for stream in 0..<100 {
      let choices = augmentation.choices(stream: stream)
      XCTAssertTrue(choices.operations.isEmpty)
      XCTAssertFalse(choices.isFlipped)
      XCTAssertEqual(choices.top, full.choices(stream: stream).top)
    }
    augmentation.mode = .none
    XCTAssertEqual(
      augmentation.choices(stream: 3), AugmentationChoices(top: 4, left: 4, isFlipped: false))
  }

  func testBatchIsGatheredAugmentedAndNormalized() throws {
    let (side, channels) = (6, 3)
    let imageSize = side * side * channels
    let images = fillBytes("images", shape: [5, side, side, channels], seed: 1)
    let (indices, streams): ([Int64], [Int64]) = ([4, 0, 4], [10, 11, 12])
    let (mean, std): ([Float], [Float]) = ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])
    var output = [Float](repeating: 0, count: 3 * imageSize)
    try full.apply(
      to: images, side: side, channels: channels, indices: indices, streams: streams, batch: 3,
      mean: mean, std: std, into: &output)
    for b in 0..<3 {
      var augmented = [UInt8](repeating: 0, count: imageSize)
      images.withUnsafeBufferPointer {
        full.choices(stream: Int(streams[b])).apply(
          to: $0.baseAddress! + Int(indices[b]) * imageSize, side: side, channels: channels,
          padding: 4, into: &augmented)
      }
      let expected = augmented.enumerated().map { i, value in
        (Float(value) / 255 - mean[i % 3]) / std[i % 3]
      }
      XCTAssertEqual(Array(output[b * imageSize..<(b + 1) * imageSize]), expected)
    }
  }

  /// Every mode, channel count and padding up to more than the side, on sides around the kernels'
  /// blocks of 16 pixels.
  func testBatchMatchesChoicesAppliedOneByOne() throws {
    for side in [1, 2, 5, 15, 16, 17, 33] {
      for (mode, channels) in [
        (Augmentation.Mode.none, 1), (.none, 3), (.none, 4), (.cropFlip, 1), (.cropFlip, 2),
        (.cropFlip, 3), (.cropFlip, 4), (.full, 3),
      ] {
        for padding in [0, 3, side + 2] {
          let augmentation = Augmentation(mode: mode, padding: padding, seed: 3, epoch: 1)
          let batch = 6
          let imageSize = side * side * channels
          let images = fillBytes("images", shape: [batch, side, side, channels], seed: 4)
          let mean = (0..<channels).map { 0.4 + 0.05 * Float($0) }
          let std = (0..<channels).map { 0.3 - 0.02 * Float($0) }
          var output = [Float](repeating: .nan, count: batch * imageSize)
          try augmentation.apply(
            to: images, side: side, channels: channels, indices: nil, streams: nil, batch: batch,
            mean: mean, std: std, into: &output)
          for b in 0..<batch {
            var augmented = [UInt8](repeating: 7, count: imageSize)
            images.withUnsafeBufferPointer {
              augmentation.choices(stream: b).apply(
                to: $0.baseAddress! + b * imageSize, side: side, channels: channels,
                padding: padding, into: &augmented)
            }
            let expected = augmented.enumerated().map { i, value in
              (Float(value) / 255 - mean[i % channels]) / std[i % channels]
            }
            XCTAssertEqual(
              Array(output[b * imageSize..<(b + 1) * imageSize]), expected,
              "\(mode) \(side) \(channels) \(padding) \(b)")
          }
        }
      }
    }
  }

  /// The crop is resized, then its colours change, then it is normalised.
  func testTheCropIsResizedBeforeItsColorsChange() throws {
    let (side, outputSide) = (8, 6)
    let images = fillBytes("images", shape: [2, side, side, 3], seed: 1)
    let (mean, std): ([Float], [Float]) = ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])
    let filter = ResizeFilter(inputs: side, outputs: outputSide)
    for mode in [Augmentation.Mode.none, .cropFlip, .full] {
      let augmentation = Augmentation(mode: mode, padding: 2, seed: 7, epoch: 3)
      var output = [Float](repeating: .nan, count: 2 * outputSide * outputSide * 3)
      try augmentation.apply(
        to: images, side: side, channels: 3, indices: nil, streams: nil, batch: 2, mean: mean,
        std: std, outputSide: outputSide, into: &output)
      for b in 0..<2 {
        let image = Array(images[b * side * side * 3..<(b + 1) * side * side * 3])
        var (cropped, choices) = (image, augmentation.choices(stream: b))
        let operations = choices.operations
        choices.operations = []
        if mode != .none {
          choices.apply(to: image, side: side, channels: 3, padding: 2, into: &cropped)
        }
        var scratch = [UInt8](repeating: 0, count: side * outputSide * 3)
        var resized = [UInt8](repeating: 0, count: outputSide * outputSide * 3)
        resizeImage(cropped, filter: filter, channels: 3, scratch: &scratch, into: &resized)
        adjustColors(&resized, pixelCount: outputSide * outputSide, operations: operations)
        let expected = resized.enumerated().map { i, value in
          (Float(value) / 255 - mean[i % 3]) / std[i % 3]
        }
        XCTAssertEqual(Array(output[b * expected.count..<(b + 1) * expected.count]), expected)
      }
    }
  }

  func testCroppedBeyondTheImageEverythingIsZero() {
    let image = fillBytes("images", shape: [17, 17, 3], seed: 5)
    var output = [UInt8](repeating: 7, count: image.count)
    for isFlipped in [false, true] {
      AugmentationChoices(
        top: 0, left: 20, isFlipped: isFlipped, operations: [.brightness(1.4), .contrast(0.6)]
      ).apply(to: image, side: 17, channels: 3, padding: 20, into: &output)
      XCTAssertEqual(output, [UInt8](repeating: 0, count: image.count))
    }
  }

  /// Above the threshold from which the pool is used.
  func testLargeBatchIsTheSameForAnyNumberOfThreads() throws {
    let (side, batch) = (128, 200)
    let images = fillBytes("images", shape: [2, side, side, 3], seed: 2)
    let indices = (0..<batch).map { Int64($0 % 2) }
    let streams = (0..<batch).map { Int64($0) }
    let statistics: [Float] = [0.5, 0.5, 0.5]
    let threads = WorkerPool.shared.threadCount
    defer { WorkerPool.shared.threadCount = threads }
    let results = try [1, 3].map { count in
      WorkerPool.shared.threadCount = count
      var output = [Float](repeating: 0, count: batch * side * side * 3)
      try full.apply(
        to: images, side: side, channels: 3, indices: indices, streams: streams, batch: batch,
        mean: statistics, std: statistics, into: &output)
      return output
    }
    XCTAssertTrue(results[0] == results[1])
  }

  func testShuffledOrderIsAPermutationThatDependsOnSeedAndEpoch() {
    for count in [0, 1, 2, 101] {
      XCTAssertEqual(shuffledOrder(count: count, seed: 3, epoch: 1).sorted(), Array(0..<count))
    }
    let order = shuffledOrder(count: 101, seed: 3, epoch: 1)
    XCTAssertEqual(shuffledOrder(count: 101, seed: 3, epoch: 1), order)
    XCTAssertNotEqual(shuffledOrder(count: 101, seed: 3, epoch: 2), order)
    XCTAssertNotEqual(shuffledOrder(count: 101, seed: 4, epoch: 1), order)
  }

  func testShuffledOrderPutsEveryElementEverywhere() {
    var counts = [Int](repeating: 0, count: 9)
    for epoch in 0..<9_000 {
      let order = shuffledOrder(count: 3, seed: 0, epoch: epoch)
      for (position, element) in order.enumerated() { counts[3 * position + element] += 1 }
    }
    // 3000 within five standard deviations of a binomial.
    XCTAssertTrue(counts.allSatisfy { (2_775...3_225).contains($0) }, "\(counts)")
  }
}
