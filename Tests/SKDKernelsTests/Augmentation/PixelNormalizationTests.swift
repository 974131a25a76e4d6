import SKDKernels
import SKDTestSupport
import XCTest

final class PixelNormalizationTests: XCTestCase {
  func testNormalizationMatchesTheFormulaForEveryByte() {
    for channels in 1...4 {
      let mean = (0..<channels).map { 0.5 - 0.1 * Float($0) }
      let std = (0..<channels).map { 0.2 + 0.1 * Float($0) }
      let bytes = (0..<256 * channels).map { UInt8($0 / channels) }
      check(bytes, mean, std)
    }
  }

  /// Mean 0 and std 1 leave the fraction, which is computed without a division.
  func testFractionsAreCorrectlyRounded() {
    check((0...255).map { UInt8($0) }, [0], [1])
  }

  func testAnyNumberOfPixelsIsNormalizedAndNothingElse() {
    for channels in 1...4 {
      let mean = (0..<channels).map { 0.1 * Float($0) }
      let std = (0..<channels).map { 0.5 + 0.1 * Float($0) }
      for pixels in [0, 1, 2, 11, 12, 13, 15, 16, 17, 21, 22, 47, 48, 49, 64, 100] {
        check(fillBytes("normalize", shape: [pixels, channels], seed: pixels), mean, std)
      }
    }
  }

  private func check(_ bytes: [UInt8], _ mean: [Float], _ std: [Float]) {
    let normalization = PixelNormalization(mean: mean, std: std, channels: mean.count)
    let memory = guarded(bytes)
    let output = GuardedBuffer(count: bytes.count)
    normalizePixels(
      memory.bytes, count: bytes.count, normalization: normalization, into: output.pointer)
    let expected = bytes.enumerated().map { i, byte in
      (Float(byte) / 255 - mean[i % mean.count]) / std[i % mean.count]
    }
    XCTAssertEqual(output.values, expected, "\(mean.count) \(bytes.count)")
    XCTAssertTrue(output.isIntact && memory.buffer.isIntact)
  }
}
