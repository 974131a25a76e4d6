import CSKD
import SKDABI
import SKDTestSupport
import XCTest

final class AugmentationABITests: XCTestCase {
  private let identity = skd_augmentation_choices(
    top: 1, left: 1, flip: 0, operations: (-1, -1, -1), factors: (1, 1, 1))

  private func apply(
    _ choices: skd_augmentation_choices, channels: Int64 = 3, side: Int64 = 2, batch: Int64 = 1
  ) -> (outcome: Outcome, output: [UInt8]) {
    let images = (0..<48).map { UInt8($0) }
    var output = [UInt8](repeating: 99, count: 48)
    let all = [skd_augmentation_choices](repeating: choices, count: 4)
    let status = skd_apply_augmentation(images, batch, side, channels, 1, all, &output)
    return (Outcome(status), output)
  }

  func testAppliedChoicesCropFlipAndRecolour() {
    XCTAssertEqual(apply(identity).output.prefix(13), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99])
    var choices = identity
    choices.flip = 1
    XCTAssertEqual(apply(choices).output.prefix(6), [3, 4, 5, 0, 1, 2])
    choices = identity
    (choices.top, choices.left) = (0, 2)
    XCTAssertEqual(apply(choices).output.prefix(12), [0, 0, 0, 0, 0, 0, 3, 4, 5, 0, 0, 0])
    choices = identity
    (choices.operations.1, choices.factors.0) = (0, 2)
    XCTAssertEqual(apply(choices).output.prefix(6), [0, 2, 4, 6, 8, 10])
    XCTAssertEqual(apply(identity, channels: 1, batch: 4).output.prefix(17), (0..<16) + [99])
  }

  func testBadChoicesAreNamedAndWriteNothing() {
    let claims: [((inout skd_augmentation_choices) -> Void, String)] = [
      ({ $0.top = 3 }, "choices[0].top of apply_augmentation must be in 0...2; got 3"),
      ({ $0.left = -1 }, "choices[0].left of apply_augmentation must be in 0...2; got -1"),
      ({ $0.flip = 2 }, "choices[0].flip of apply_augmentation must be in 0...1; got 2"),
      ({ $0.operations.2 = 3 }, "choices[0].operations of apply_augmentation must be in -1...2"),
      ({ $0.factors.1 = .nan }, "choices[0].factors of apply_augmentation"),
      ({ $0.factors.1 = -0.1 }, "choices[0].factors of apply_augmentation"),
      ({ $0.factors.1 = .infinity }, "choices[0].factors of apply_augmentation"),
    ]
    for (change, message) in claims {
      var choices = identity
      change(&choices)
      let result = apply(choices)
      assertRefused(result.outcome, message)
      XCTAssertEqual(Set(result.output), [99])
    }
    var choices = identity
    choices.operations.0 = 1
    assertRefused(apply(choices, channels: 1).outcome, "must be -1 unless channels is 3")
    assertRefused(apply(identity, channels: 5).outcome, "channels of apply_augmentation")
    assertRefused(apply(identity, side: 0).outcome, "side of apply_augmentation")
    assertRefused(apply(identity, batch: -1).outcome, "batch of apply_augmentation")
    assertRefused(apply(identity, batch: .max).outcome, "batch of apply_augmentation")
    assertOK(apply(identity, batch: 0).outcome.status)
    assertRefused(skd_apply_augmentation(nil, 1, 2, 3, 1, nil, nil), "images of")
  }

  func testDrawnChoicesAreLegalAndArgumentsAreChecked() {
    var choices = identity
    for index in 0..<50 as Range<Int64> {
      assertOK(skd_draw_augmentation(2, 1, 1, 5, 3, index, 0, &choices))
      assertOK(apply(choices).outcome.status)
      XCTAssertEqual(
        Set([choices.operations.0, choices.operations.1, choices.operations.2]), [0, 1, 2])
      assertOK(skd_draw_augmentation(1, 1, 0, 5, 3, index, 1, &choices))
      XCTAssertEqual(choices.flip, 0)
      XCTAssertEqual(choices.operations.0, -1)
    }
    assertRefused(skd_draw_augmentation(3, 1, 1, 5, 3, 0, 0, &choices), "mode of draw_augmentation")
    assertRefused(skd_draw_augmentation(1, -1, 1, 5, 3, 0, 0, &choices), "padding of")
    assertRefused(skd_draw_augmentation(1, 1, 2, 5, 3, 0, 0, &choices), "flips of")
    assertRefused(skd_draw_augmentation(1, 1, 1, 5, -1, 0, 0, &choices), "epoch of")
    assertRefused(skd_draw_augmentation(1, 1, 1, 5, 3, 1 << 32, 0, &choices), "index of")
    assertRefused(skd_draw_augmentation(1, 1, 1, 5, 3, 0, 2, &choices), "support of")
    assertRefused(skd_draw_augmentation(1, 1, 1, 5, 3, 0, 0, nil), "choices of")
  }

  private func augment(
    indices: [Int64]? = [1, 0], streams: [Int64]? = nil, batch: Int64 = 2, channels: Int64 = 3,
    mode: Int32 = 2, padding: Int64 = 1, mean: [Float] = [0, 0, 0], std: [Float] = [1, 1, 1]
  ) -> (outcome: Outcome, output: [Float]) {
    let images = fillBytes("images", shape: [2, 2, 2, 3], seed: 0)
    var output = [Float](repeating: 99, count: 24)
    func call(_ indices: UnsafePointer<Int64>?, _ streams: UnsafePointer<Int64>?) -> skd_status {
      skd_augment(
        images, 2, 2, channels, indices, streams, batch, mode, padding, 1, 7, 1, 0, mean, std, 2,
        &output)
    }
    let status = (indices ?? []).withUnsafeBufferPointer { i in
      (streams ?? []).withUnsafeBufferPointer { s in
        call(indices == nil ? nil : i.baseAddress, streams == nil ? nil : s.baseAddress)
      }
    }
    return (Outcome(status), output)
  }

  /// What skd_augment does is skd_apply_augmentation of what skd_draw_augmentation draws.
  func testAugmentedBatchIsDrawnAppliedAndNormalized() {
    let result = augment(streams: [10, 11], mean: [0.5, 0.5, 0.5], std: [0.25, 0.5, 1])
    assertOK(result.outcome.status)
    let images = fillBytes("images", shape: [2, 2, 2, 3], seed: 0)
    for (b, image) in [images[12...], images[..<12]].enumerated() {
      var choices = identity
      var augmented = [UInt8](repeating: 0, count: 12)
      assertOK(skd_draw_augmentation(2, 1, 1, 7, 1, Int64(10 + b), 0, &choices))
      assertOK(skd_apply_augmentation(Array(image), 1, 2, 3, 1, [choices], &augmented))
      for i in 0..<12 {
        let std: Float = [0.25, 0.5, 1][i % 3]
        XCTAssertEqual(result.output[12 * b + i], (Float(augmented[i]) / 255 - 0.5) / std)
      }
    }
  }

  func testIndicesAreTheDefaultStreamsAndCountingTheDefaultIndices() {
    XCTAssertEqual(augment().output, augment(streams: [1, 0]).output)
    XCTAssertEqual(augment(indices: nil).output, augment(indices: [0, 1]).output)
  }

  func testBadAugmentArgumentsAreNamedAndWriteNothing() {
    let claims = [
      (augment(indices: [0, 2]), "indices of augment must be in 0...1; got 2 at index 1"),
      (augment(indices: [-1, 0]), "indices of augment must be in 0...1; got -1 at index 0"),
      (augment(streams: [0, -1]), "streams of augment"),
      (augment(indices: nil, batch: 3), "batch of augment must be at most image_count = 2"),
      (augment(batch: -1), "batch of augment"),
      (augment(channels: 2), "channels of augment must be 3 for mode SKD_AUGMENT_FULL; got 2"),
      (augment(mode: -1), "mode of augment"),
      (augment(padding: .max), "padding of augment"),
      (augment(mean: [0, .nan, 0]), "mean of augment must be finite"),
      (augment(std: [1, 0, 1]), "std of augment must be > 0; got 0.0 at index 1"),
      (augment(std: [1, 1, -1]), "std of augment must be > 0"),
    ]
    for (result, message) in claims {
      assertRefused(result.outcome, message)
      XCTAssertEqual(Set(result.output), [99])
    }
    assertOK(augment(batch: 0).outcome.status)
  }

  func testShuffleIsAPermutationAndChecksItsArguments() {
    var order = [Int64](repeating: 0, count: 10)
    assertOK(skd_shuffle(10, 1, 2, &order))
    XCTAssertEqual(order.sorted(), Array(0..<10))
    let before = order
    assertRefused(skd_shuffle(-1, 1, 2, &order), "count of shuffle")
    assertRefused(skd_shuffle(10, 1, -2, &order), "epoch of shuffle")
    assertRefused(skd_shuffle(10, 1, 2, nil), "permutation of shuffle must not be NULL")
    XCTAssertEqual(order, before)
    assertOK(skd_shuffle(0, 1, 2, nil))
  }
}
