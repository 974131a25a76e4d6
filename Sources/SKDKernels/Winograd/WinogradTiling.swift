import SKDRuntime

/// Tiling of an image along one axis: tiles of four outputs and, where one or two are
/// left, a smaller one at the end. Three are left to a tile of four.
struct WinogradAxis: Sendable {
  /// Outputs along the axis.
  let side: Int
  /// Tiles of four.
  let whole: Int
  /// Outputs of the smaller tile: 2, 1, or 0 if there is none.
  let rest: Int

  init(side: Int) {
    self.side = side
    rest = side % 4 == 3 ? 0 : side % 4
    whole = (side - rest + 3) / 4
  }

  var tileCount: Int { rest == 0 ? whole : whole + 1 }

  /// Outputs that a tile computes; the last one of four may have one too many.
  func outputs(of tile: Int) -> Int { tile < whole ? 4 : rest }

  /// Whether the smaller tile has a value at a point too.
  func isShared(_ point: Int) -> Bool {
    switch rest {
    case 1: return OneOutput.uses(point)
    case 2: return TwoOutputs.uses(point)
    default: return true
    }
  }
}

/// The tiles of a batch of images, numbered image by image in row-major order, and their places in
/// the 36 planes.
///
/// Smaller tiles are missing from some planes, so that a plane belongs to one of four kinds: planes
/// with all tiles, and planes without the tiles of the last row, of the last column, or of both. In
/// a plane, the tiles follow each other without gaps.
struct WinogradTiling: Sendable {
  let rows: WinogradAxis
  let columns: WinogradAxis
  let tilesPerImage: Int
  let tileCount: Int

  init(_ images: ImageShape) {
    rows = WinogradAxis(side: images.height)
    columns = WinogradAxis(side: images.width)
    tilesPerImage = rows.tileCount * columns.tileCount
    tileCount = images.batch * tilesPerImage
  }

  /// A tile's image, and its row and column among the image's tiles.
  func position(of tile: Int) -> (image: Int, row: Int, column: Int) {
    let (image, inImage) = tile.quotientAndRemainder(dividingBy: tilesPerImage)
    let (row, column) = inImage.quotientAndRemainder(dividingBy: columns.tileCount)
    return (image, row, column)
  }

  /// The kind of plane (row point, column point), 0...3.
  func kind(ofPlane plane: Int) -> Int {
    (rows.isShared(plane / 6) ? 0 : 2) + (columns.isShared(plane % 6) ? 0 : 1)
  }

  /// Number of tiles before `tile` in the planes of each kind.
  func slotCounts(before tile: Int) -> SIMD4<Int> {
    let (image, row, column) = position(of: tile)
    let wholeRows = min(row, rows.whole)
    let wholeColumns = min(column, columns.whole)
    let isInWholeRow = row < rows.whole
    let withoutLastRow =
      (image * rows.whole + wholeRows) * columns.tileCount + (isInWholeRow ? column : 0)
    let withoutLastColumn =
      (image * rows.tileCount + row) * columns.whole + wholeColumns
    let withoutBoth =
      (image * rows.whole + wholeRows) * columns.whole + (isInWholeRow ? wholeColumns : 0)
    return SIMD4(tile, withoutLastColumn, withoutLastRow, withoutBoth)
  }

  /// Calls `body` for every tile, on all threads; a thread takes some neighbours at a time.
  func forEachTile(_ tiles: Range<Int>, workers: Int, _ body: (_ tile: Int) -> Void) {
    guard !tiles.isEmpty else { return }
    let size = min(8, ceilDivide(tiles.count, 8))
    WorkerPool.shared.forEach(ceilDivide(tiles.count, size), workers: workers) { item, _ in
      let first = tiles.lowerBound + item * size
      for tile in first..<min(first + size, tiles.upperBound) { body(tile) }
    }
  }
}
