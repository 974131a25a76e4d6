import SKDKernels
import SKDTestSupport
import XCTest

final class ColorAdjustmentTests: XCTestCase {
  func testBrightnessScalesTruncatesAndSaturates() {
    let pixels: [UInt8] = [0, 1, 100, 200, 255, 3]
    XCTAssertEqual(adjusted(pixels, [.brightness(1.5)]), [0, 1, 150, 255, 255, 4])
    XCTAssertEqual(adjusted(pixels, [.brightness(0)]), [0, 0, 0, 0, 0, 0])
  }

  func testFactorOneChangesNothing() {
    let pixels = (0..<255).map { UInt8($0) }
    XCTAssertEqual(adjusted(pixels, [.brightness(1), .contrast(1), .saturation(1)]), pixels)
  }

  /// Gray pixels are their own luma: the mean of 10 and 21 is 15.5, rounded to 16.
  func testContrastBlendsWithTheRoundedMeanLuma() {
    let pixels: [UInt8] = [10, 10, 10, 21, 21, 21]
    XCTAssertEqual(adjusted(pixels, [.contrast(0)]), [16, 16, 16, 16, 16, 16])
    XCTAssertEqual(adjusted(pixels, [.contrast(2)]), [4, 4, 4, 26, 26, 26])
  }

  /// Luma of pure red, green and blue: 0.299, 0.587 and 0.114 times 255, rounded.
  func testSaturationZeroIsTheLuma() {
    let pixels: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255]
    XCTAssertEqual(
      adjusted(pixels, [.saturation(0)]), [76, 76, 76, 150, 150, 150, 29, 29, 29])
  }

  func testHugeFactorsSaturateAndNoPixelsAreANoOp() {
    let huge = Float.greatestFiniteMagnitude
    XCTAssertEqual(adjusted([1, 2, 3], [.saturation(huge)]), [0, 2, 255])
    XCTAssertEqual(adjusted([], [.contrast(3)]), [])
  }

  /// Every order of up to three operations, repeated ones too, on numbers of pixels around the
  /// blocks of 16; memory behind the last pixel cannot be read.
  func testEverySequenceMatchesNaiveReference() {
    let kinds: [(Float) -> ColorOperation] = [
      ColorOperation.brightness, ColorOperation.contrast, ColorOperation.saturation,
    ]
    var sequences: [[Int]] = [[]]
    for length in 0..<3 {
      for shorter in sequences where shorter.count == length {
        for kind in kinds.indices { sequences.append(shorter + [kind]) }
      }
    }
    XCTAssertEqual(sequences.count, 1 + 3 + 9 + 27)
    let factors: [[Float]] = [
      [0.6, 1.4, 1.3], [1.4, 0.6, 1.1], [1.37, 1.21, 0.83], [0, 1, Float(1).nextUp],
      [2, 1e30, 0.5],
    ]
    for pixelCount in [1, 5, 15, 16, 17, 21, 22, 37, 64] {
      let pixels = fillBytes("colors", shape: [pixelCount, 3], seed: pixelCount)
      for sequence in sequences {
        for factors in factors {
          let operations = zip(sequence, factors).map { kinds[$0]($1) }
          XCTAssertEqual(
            adjusted(pixels, operations), naivelyAdjusted(pixels, operations),
            "\(pixelCount) \(operations)")
        }
      }
    }
  }

  /// Blends depend on the byte and, for saturation, on its pixel: all bytes beside dark and light
  /// ones.
  func testEveryByteMatchesNaiveReferenceForManyFactors() {
    var pixels: [UInt8] = []
    for other: UInt8 in [0, 90, 255] {
      for byte in 0..<256 { pixels += [UInt8(byte), other, UInt8(255 - byte)] }
    }
    for step in 0...40 {
      let factor = 0.6 + 0.02 * Float(step)
      for operation in [
        ColorOperation.brightness(factor), .contrast(factor), .saturation(factor),
      ] {
        XCTAssertEqual(
          adjusted(pixels, [operation]), naivelyAdjusted(pixels, [operation]), "\(operation)")
      }
    }
  }

  /// Large images are summed in parts of 2^20 pixels, for the lanes have 32 bits.
  func testMeanLumaOfALargeImageIsOfAllItsPixels() {
    var pixels = [UInt8](repeating: 255, count: 3 * (1 << 20) + 3 * 17)
    adjustColors(&pixels, pixelCount: pixels.count / 3, operations: [.contrast(0)])
    XCTAssertEqual(Set(pixels), [255])
  }

  func testAdjustedAndNormalizedIsAdjustedThenNormalized() {
    let (mean, std): ([Float], [Float]) = ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])
    let normalization = PixelNormalization(mean: mean, std: std, channels: 3)
    for pixelCount in [1, 15, 16, 17, 21, 22, 37, 64] {
      let pixels = fillBytes("colors", shape: [pixelCount, 3], seed: pixelCount)
      for operations: [ColorOperation] in [
        [], [.saturation(1.3)], [.contrast(0.7), .brightness(1.2), .saturation(0.8)],
        [.saturation(1.2), .contrast(1.4), .brightness(0.9)],
        [.brightness(0.7), .saturation(1.4), .contrast(1.1)],
      ] {
        let memory = guarded(pixels)
        let output = GuardedBuffer(count: pixels.count)
        adjustColorsAndNormalize(
          memory.bytes, pixelCount: pixelCount, operations: ColorOperations(operations),
          normalization: normalization, into: output.pointer)
        let expected = naivelyAdjusted(pixels, operations).enumerated().map { i, value in
          (Float(value) / 255 - mean[i % 3]) / std[i % 3]
        }
        XCTAssertEqual(output.values, expected, "\(pixelCount) \(operations)")
        XCTAssertTrue(output.isIntact && memory.buffer.isIntact)
      }
    }
  }

  private func adjusted(_ pixels: [UInt8], _ operations: [ColorOperation]) -> [UInt8] {
    let memory = guarded(pixels)
    adjustColors(
      memory.bytes, pixelCount: pixels.count / 3, operations: ColorOperations(operations))
    let adjusted = Array(UnsafeBufferPointer(start: memory.bytes, count: pixels.count))
    XCTAssertTrue(memory.buffer.isIntact)
    return adjusted
  }

  // MARK: Naive reference

  private func naivelyAdjusted(_ pixels: [UInt8], _ operations: [ColorOperation]) -> [UInt8] {
    operations.reduce(pixels) { pixels, operation in
      let lumas = (0..<pixels.count / 3).map { naiveLuma(pixels, at: $0) }
      switch operation {
      case .brightness(let factor): return pixels.map { naiveBlend($0, with: 0, factor) }
      case .contrast(let factor):
        let mean = (Double(lumas.reduce(0, +)) / Double(lumas.count) + 0.5).rounded(.down)
        return pixels.map { naiveBlend($0, with: Float(mean), factor) }
      case .saturation(let factor):
        return pixels.enumerated().map { i, value in
          naiveBlend(value, with: Float(lumas[i / 3]), factor)
        }
      }
    }
  }

  private func naiveLuma(_ pixels: [UInt8], at pixel: Int) -> Int {
    let (red, green, blue) = (pixels[3 * pixel], pixels[3 * pixel + 1], pixels[3 * pixel + 2])
    return (19595 * Int(red) + 38470 * Int(green) + 7471 * Int(blue) + 32768) >> 16
  }

  private func naiveBlend(_ value: UInt8, with degenerate: Float, _ factor: Float) -> UInt8 {
    let product = factor * (Float(value) - degenerate)
    return UInt8(min(max(degenerate + product, 0), 255))
  }
}

/// Bytes that end at a page that cannot be read.
func guarded(_ bytes: [UInt8]) -> (buffer: GuardedBuffer, bytes: UnsafeMutablePointer<UInt8>) {
  let buffer = GuardedBuffer(count: (bytes.count + 3) / 4)
  let end = UnsafeMutableRawPointer(buffer.pointer + buffer.count)
  let start = (end - bytes.count).assumingMemoryBound(to: UInt8.self)
  for (i, byte) in bytes.enumerated() { start[i] = byte }
  return (buffer, start)
}
