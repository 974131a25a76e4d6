import SKDFewShot
import SKDKernels
import SKDTestSupport
import XCTest

final class AugmentationGoldenTests: XCTestCase {
  /// PIL and torchvision, `augment.npz`: bytes exact, normalised values to one rounding.
  func testAugmentedImagesMatchPILExactly() throws {
    let fixture = try Fixture(named: "augment")
    let seed = try fixture.integer("seed.data")
    for i in 0..<(try fixture.integer("count")) {
      let key = "case\(i)"
      let cfg = try fixture.integers("\(key).cfg")
      let factors = try fixture.floats("\(key).factors")
      let side = try fixture.integer("image\(cfg[0]).side")
      let image = fillBytes("image\(cfg[0])", shape: [side, side, 3], seed: seed)
      let makers: [(Float) -> ColorOperation] = [
        ColorOperation.brightness, ColorOperation.contrast, ColorOperation.saturation,
      ]
      let choices = AugmentationChoices(
        top: cfg[2], left: cfg[3], isFlipped: cfg[4] == 1,
        operations: ColorOperations(cfg[6..<6 + cfg[5]].map { makers[$0](factors[$0]) }))
      var augmented = [UInt8](repeating: 0, count: image.count)
      choices.apply(to: image, side: side, channels: 3, padding: cfg[1], into: &augmented)

      let sums = (0..<3).map { c in
        stride(from: c, to: image.count, by: 3).reduce(0) { $0 + Int(augmented[$1]) }
      }
      XCTAssertEqual(sums, try fixture.integers("\(key).sum"), key)
      let indices = try fixture.integers("\(key).idx")
      let planes = nchwFromNHWC(augmented, shape: [1, 3, side, side])
      XCTAssertEqual(indices.map { Int(planes[$0]) }, try fixture.integers("\(key).u8"), key)

      var normalized = [Float](repeating: 0, count: image.count)
      try Augmentation(mode: .none, padding: 0, seed: 0, epoch: 0).apply(
        to: augmented, side: side, channels: 3, indices: nil, streams: nil, batch: 1,
        mean: fixture.floats("image\(cfg[0]).mean"), std: fixture.floats("image\(cfg[0]).std"),
        into: &normalized)
      let normalizedPlanes = nchwFromNHWC(normalized, shape: [1, 3, side, side])
      assertClose(
        indices.map { normalizedPlanes[$0] }, try fixture.floats("\(key).val"), relative: 1e-6, key)
    }
  }
}
