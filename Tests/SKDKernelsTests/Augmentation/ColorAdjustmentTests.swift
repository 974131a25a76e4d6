import SKDKernels
import XCTest

final class ColorAdjustmentTests: XCTestCase {
  func testBrightnessScalesTruncatesAndSaturates() {
    var bytes: [UInt8] = [0, 1, 100, 200, 255]
    adjustBrightness(&bytes, byteCount: 5, factor: 1.5)
    XCTAssertEqual(bytes, [0, 1, 150, 255, 255])
    adjustBrightness(&bytes, byteCount: 5, factor: 0)
    XCTAssertEqual(bytes, [0, 0, 0, 0, 0])
  }

  func testFactorOneChangesNothing() {
    let original = (0..<255).map { UInt8($0) }
    var bytes = original
    adjustBrightness(&bytes, byteCount: 255, factor: 1)
    adjustContrast(&bytes, pixelCount: 85, factor: 1)
    adjustSaturation(&bytes, pixelCount: 85, factor: 1)
    XCTAssertEqual(bytes, original)
  }

  /// Gray pixels are their own luma: the mean of 10 and 21 is 15.5, rounded to 16.
  func testContrastBlendsWithTheRoundedMeanLuma() {
    var pixels: [UInt8] = [10, 10, 10, 21, 21, 21]
    adjustContrast(&pixels, pixelCount: 2, factor: 0)
    XCTAssertEqual(pixels, [16, 16, 16, 16, 16, 16])
    pixels = [10, 10, 10, 21, 21, 21]
    adjustContrast(&pixels, pixelCount: 2, factor: 2)
    XCTAssertEqual(pixels, [4, 4, 4, 26, 26, 26])
  }

  /// Luma of pure red, green and blue: 0.299, 0.587 and 0.114 times 255, rounded.
  func testSaturationZeroIsTheLuma() {
    var pixels: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255]
    adjustSaturation(&pixels, pixelCount: 3, factor: 0)
    XCTAssertEqual(pixels, [76, 76, 76, 150, 150, 150, 29, 29, 29])
  }

  func testHugeFactorsSaturateAndNoPixelsAreANoOp() {
    var pixels: [UInt8] = [1, 2, 3]
    adjustContrast(&pixels, pixelCount: 0, factor: 3)
    XCTAssertEqual(pixels, [1, 2, 3])
    adjustSaturation(&pixels, pixelCount: 1, factor: .greatestFiniteMagnitude)
    XCTAssertEqual(pixels, [0, 2, 255])
  }

  func testNormalizationMatchesTheFormulaForEveryByte() {
    for channels in 1...4 {
      let mean = (0..<channels).map { 0.5 - 0.1 * Float($0) }
      let std = (0..<channels).map { 0.2 + 0.1 * Float($0) }
      let bytes = (0..<256 * channels).map { UInt8($0 % 256) }
      var table = [Float](repeating: 0, count: 256 * channels)
      var output = [Float](repeating: 0, count: bytes.count)
      fillNormalizationTable(mean: mean, std: std, channels: channels, into: &table)
      normalizePixels(bytes, pixelCount: 256, channels: channels, table: table, into: &output)
      for (i, byte) in bytes.enumerated() {
        let c = i % channels
        XCTAssertEqual(output[i], (Float(byte) / 255 - mean[c]) / std[c])
      }
    }
  }
}
