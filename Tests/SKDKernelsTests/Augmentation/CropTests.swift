import SKDKernels
import SKDTestSupport
import XCTest

final class CropTests: XCTestCase {
  func testCropMatchesNaiveReferenceForEveryOffset() {
    for side in [1, 2, 3, 5] { checkOffsets(side: side, step: 1) }
  }

  /// Rows around one and two blocks of the 16 pixels that are mirrored at once.
  func testCropOfLongRowsMatchesNaiveReference() {
    for side in [15, 16, 17, 33] { checkOffsets(side: side, step: 11) }
  }

  private func checkOffsets(side: Int, step: Int) {
    let offsets = Array(stride(from: -side - 1, through: side + 1, by: step)) + [0]
    for channels in 1...4 {
      let image = fillBytes("crop", shape: [side, side, channels], seed: side << 32)
      for rowOffset in offsets {
        for columnOffset in offsets {
          for isFlipped in [false, true] {
            var output = [UInt8](repeating: 7, count: image.count)
            cropImage(
              image, side: side, channels: channels, rowOffset: rowOffset,
              columnOffset: columnOffset, isFlipped: isFlipped, into: &output)
            let expected = naiveCrop(
              image, side, channels, rowOffset, columnOffset, isFlipped: isFlipped)
            XCTAssertEqual(
              output, expected, "\(side) \(channels) \(rowOffset) \(columnOffset) \(isFlipped)")
          }
        }
      }
    }
  }

  private func naiveCrop(
    _ image: [UInt8], _ side: Int, _ channels: Int, _ rowOffset: Int, _ columnOffset: Int,
    isFlipped: Bool
  ) -> [UInt8] {
    (0..<side * side * channels).map { index in
      let (c, x, y) = (index % channels, index / channels % side, index / (channels * side))
      let row = y + rowOffset
      let column = (isFlipped ? side - 1 - x : x) + columnOffset
      let isInside = (0..<side).contains(row) && (0..<side).contains(column)
      return isInside ? image[(row * side + column) * channels + c] : 0
    }
  }
}
