import SKDKernels
import SKDTestSupport
import XCTest

/// The golden comparison is with Pillow itself, in python/tests/test_resize.py.
final class ResizeTests: XCTestCase {
  private func resized(_ image: [UInt8], _ inputs: Int, _ outputs: Int, channels: Int) -> [UInt8] {
    var scratch = [UInt8](repeating: 7, count: inputs * outputs * channels)
    var output = [UInt8](repeating: 7, count: outputs * outputs * channels)
    resizeImage(
      image, filter: ResizeFilter(inputs: inputs, outputs: outputs), channels: channels,
      scratch: &scratch, into: &output)
    return output
  }

  /// In Double, with one rounding at the end: two roundings to bytes differ by at most 1.
  private func naive(_ image: [UInt8], _ inputs: Int, _ outputs: Int, channels: Int) -> [Double] {
    let ratio = Double(inputs) / Double(outputs)
    let scale = max(1, ratio)
    let weights = (0..<outputs).map { x -> [Double] in
      let center = (Double(x) + 0.5) * ratio
      let raw = (0..<inputs).map { max(0, 1 - abs((Double($0) + 0.5 - center) / scale)) }
      let sum = raw.reduce(0, +)
      return raw.map { $0 / sum }
    }
    return (0..<outputs * outputs * channels).map { index in
      let (c, x, y) = (
        index % channels, index / channels % outputs, index / (channels * outputs)
      )
      var value = 0.0
      for i in 0..<inputs {
        for j in 0..<inputs {
          value += weights[y][i] * weights[x][j] * Double(image[(i * inputs + j) * channels + c])
        }
      }
      return value
    }
  }

  func testResizeMatchesNaiveReference() {
    for (inputs, outputs) in [
      (1, 1), (1, 5), (2, 1), (5, 3), (7, 7), (8, 4), (16, 17), (17, 16), (32, 24), (13, 31),
    ] {
      for channels in 1...4 {
        let image = fillBytes("resize", shape: [inputs, inputs, channels], seed: inputs)
        let output = resized(image, inputs, outputs, channels: channels)
        for (value, expected) in zip(output, naive(image, inputs, outputs, channels: channels)) {
          XCTAssertEqual(Double(value), expected, accuracy: 1.01, "\(inputs) \(outputs)")
        }
      }
    }
  }

  func testTheOwnSizeAndConstantImagesStay() {
    let image = fillBytes("resize", shape: [9, 9, 3], seed: 1)
    XCTAssertEqual(resized(image, 9, 9, channels: 3), image)
    for value in [0, 1, 128, 254, 255] as [UInt8] {
      let constant = [UInt8](repeating: value, count: 20 * 20 * 3)
      for outputs in [1, 7, 19, 41] {
        XCTAssertEqual(
          Set(resized(constant, 20, outputs, channels: 3)), [value], "\(value) \(outputs)")
      }
    }
  }
}
