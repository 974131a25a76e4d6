import SKDKernels
import SKDTestSupport
import XCTest

final class RotationTests: XCTestCase {
  func testQuarterTurnOfFourPixelsByHand() {
    let image: [Float] = [0, 1, 2, 3]
    XCTAssertEqual(rotate(image, side: 2, channels: 1, 0), [0, 1, 2, 3])
    XCTAssertEqual(rotate(image, side: 2, channels: 1, 1), [1, 3, 0, 2])
    XCTAssertEqual(rotate(image, side: 2, channels: 1, 2), [3, 2, 1, 0])
    XCTAssertEqual(rotate(image, side: 2, channels: 1, 3), [2, 0, 3, 1])
  }

  func testTurnsMatchRepeatedQuarterTurns() {
    for side in [1, 2, 5, 16, 33] {
      for channels in [1, 3, 17] {
        let images = values("images", 3 * side * side * channels)
        var expected = images
        for turns in 0...3 {
          XCTAssertEqual(
            rotate(images, side: side, channels: channels, turns), expected, "\(side), \(turns)")
          expected = rotate(expected, side: side, channels: channels, 1)
        }
        XCTAssertEqual(expected, images, "four quarter turns restore the image")
      }
    }
  }

  func testNothingOutsideOfTheImagesIsReadOrWritten() {
    for side in [1, 2, 3, 16] {
      let images = GuardedBuffer(values("images", 2 * side * side * 3))
      for turns in 0...3 {
        let rotated = GuardedBuffer(count: images.count)
        rotateImages(
          images.pointer, batch: 2, side: side, channels: 3, quarterTurns: turns,
          into: rotated.pointer)
        XCTAssertEqual(rotated.values, rotate(images.values, side: side, channels: 3, turns))
        XCTAssertTrue(rotated.isIntact, "\(side), \(turns)")
      }
    }
  }

  func testResultsDoNotDependOnThreads() {
    let images = values("images", 20 * 32 * 32 * 3)
    assertSameForAnyThreadCount { (0...3).map { rotate(images, side: 32, channels: 3, $0) } }
  }

  func testGoldenValues() throws {
    let fixture = try Fixture(named: "rotations")
    let shape = try fixture.shape("rot0")
    let input = goldenImages("input", shape: shape, seed: try fixture.integer("seed.data"))
    for (turns, key) in ["rot0", "rot90", "rot180", "rot270"].enumerated() {
      let rotated = rotate(input, side: shape[2], channels: shape[1], turns)
      XCTAssertEqual(nchwFromNHWC(rotated, shape: shape), try fixture.floats(key), key)
    }
  }

  private func rotate(_ images: [Float], side: Int, channels: Int, _ turns: Int) -> [Float] {
    var rotated = [Float](repeating: .nan, count: images.count)
    rotateImages(
      images, batch: images.count / (side * side * channels), side: side, channels: channels,
      quarterTurns: turns, into: &rotated)
    return rotated
  }
}
