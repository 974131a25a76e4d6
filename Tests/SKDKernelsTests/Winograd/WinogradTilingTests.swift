import XCTest

@testable import SKDKernels

/// The partition of images into tiles, counted out.
final class WinogradTilingTests: XCTestCase {
  private let sides = 1...13

  func testAnAxisCoversEveryOutputOnce() {
    for side in sides {
      let axis = WinogradAxis(side: side)
      var visits = [Int](repeating: 0, count: side + 1)
      for tile in 0..<axis.tileCount {
        let outputs = axis.outputs(of: tile)
        XCTAssertTrue([4, 2, 1].contains(outputs), "side \(side)")
        for i in 4 * tile..<4 * tile + outputs { visits[i] += 1 }
      }
      XCTAssertEqual(visits.dropLast(), ArraySlice(repeating: 1, count: side), "side \(side)")
      // Three outputs that are left go to a tile of four, whose last one is beyond the image.
      XCTAssertEqual(visits.last, side % 4 == 3 ? 1 : 0, "side \(side)")
    }
  }

  func testTilesCoverEveryOutputOfABatchOnce() {
    forEachTiling { tiling, images in
      var visits = [Int](repeating: 0, count: images.rows)
      for tile in 0..<tiling.tileCount {
        let (image, row, column) = tiling.position(of: tile)
        for i in 4 * row..<min(4 * row + tiling.rows.outputs(of: row), images.height) {
          for j in 4 * column..<min(4 * column + tiling.columns.outputs(of: column), images.width) {
            visits[(image * images.height + i) * images.width + j] += 1
          }
        }
      }
      XCTAssertTrue(visits.allSatisfy { $0 == 1 }, "\(images)")
    }
  }

  func testRanksCountTheTilesInEachPlane() {
    forEachTiling { tiling, images in
      for plane in 0..<Winograd.planes {
        let kind = tiling.kind(ofPlane: plane)
        guard (0...3).contains(kind) else { return XCTFail("kind \(kind) of plane \(plane)") }
        var count = 0
        for tile in 0...tiling.tileCount {
          XCTAssertEqual(
            tiling.slotCounts(before: tile)[kind], count, "tile \(tile), plane \(plane), \(images)")
          if tile < tiling.tileCount && isIn(plane, tile, tiling) { count += 1 }
        }
      }
    }
  }

  /// In every plane that a tile is in, it follows the one before it without a gap.
  func testSlotsFollowEachOtherInEachPlane() {
    forEachTiling { tiling, images in
      for first in stride(from: 0, to: tiling.tileCount, by: 5) {
        var counts = [Int](repeating: 0, count: Winograd.planes)
        for tile in first..<tiling.tileCount {
          let slots = tiling.slots(of: tile, after: first)
          for plane in 0..<Winograd.planes where isIn(plane, tile, tiling) {
            XCTAssertEqual(
              slots.offset(plane / 6, plane % 6), 32 * counts[plane],
              "tile \(tile) after \(first), plane \(plane), \(images)")
            counts[plane] += 1
          }
        }
      }
    }
  }

  func testTheSpansSayWhichPointsTheyUse() {
    for point in 0..<6 {
      XCTAssertEqual(FourOutputs.uses(point), points(ofOutputs: 4).contains(point))
      XCTAssertEqual(TwoOutputs.uses(point), points(ofOutputs: 2).contains(point))
      XCTAssertEqual(OneOutput.uses(point), points(ofOutputs: 1).contains(point))
    }
  }

  func testAnEmptyBatchHasNoTiles() {
    XCTAssertEqual(
      WinogradTiling(ImageShape(batch: 0, height: 5, width: 6, channels: 32)).tileCount, 0)
  }

  // MARK: Support

  private func forEachTiling(_ body: (WinogradTiling, ImageShape) -> Void) {
    for height in sides {
      for width in sides {
        let images = ImageShape(batch: 3, height: height, width: width, channels: 32)
        body(WinogradTiling(images), images)
      }
    }
  }

  private func isIn(_ plane: Int, _ tile: Int, _ tiling: WinogradTiling) -> Bool {
    let (_, row, column) = tiling.position(of: tile)
    return points(ofOutputs: tiling.rows.outputs(of: row)).contains(plane / 6)
      && points(ofOutputs: tiling.columns.outputs(of: column)).contains(plane % 6)
  }

  /// F(m, 3) takes m + 2 points, infinity among them: its number is 5.
  private func points(ofOutputs outputs: Int) -> [Int] { Array(0...outputs) + [5] }
}
