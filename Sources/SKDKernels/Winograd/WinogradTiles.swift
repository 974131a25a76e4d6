internal import CIntrinsics
import SKDRuntime

/// Work on one tile, compiled for each pair of spans.
protocol WinogradTileWork {
  func run<Rows: WinogradSpan, Columns: WinogradSpan>(_: Rows.Type, _: Columns.Type)
}

extension WinogradTileWork {
  /// Runs the work for a tile of so many outputs.
  @inline(__always)
  func run(rows: Int, columns: Int) {
    switch (rows, columns) {
    case (4, 4): run(FourOutputs.self, FourOutputs.self)
    case (4, 2): run(FourOutputs.self, TwoOutputs.self)
    case (4, 1): run(FourOutputs.self, OneOutput.self)
    case (2, 4): run(TwoOutputs.self, FourOutputs.self)
    case (2, 2): run(TwoOutputs.self, TwoOutputs.self)
    case (2, 1): run(TwoOutputs.self, OneOutput.self)
    case (1, 4): run(OneOutput.self, FourOutputs.self)
    case (1, 2): run(OneOutput.self, TwoOutputs.self)
    default: run(OneOutput.self, OneOutput.self)
    }
  }
}

/// Positions of one tile's values in the 36 planes of a matrix `[channels / 32][slots][32]`.
struct WinogradPlanes<Pointer> {
  let base: Pointer
  /// Elements between planes, and between the blocks of 32 channels.
  let planeStride: Int
  let blockStride: Int
}

/// The part of an image that a tile covers.
struct WinogradWindow {
  /// Offset of the tile's first row and column, which may lie outside the image.
  let corner: Int
  let rowStride: Int
  let channels: Int
  /// The rows and columns of the tile that are inside the image.
  let rows: Range<Int>
  let columns: Range<Int>

  init(_ images: ImageShape, image: Int, top: Int, left: Int, rows: Int, columns: Int) {
    channels = images.channels
    rowStride = images.width * images.channels
    corner = (image * images.height + top) * rowStride + left * images.channels
    self.rows = max(0, -top)..<min(rows, images.height - top)
    self.columns = max(0, -left)..<min(columns, images.width - left)
  }

  @inline(__always)
  func offset(_ row: Int, _ column: Int) -> Int {
    corner &+ row &* rowStride &+ column &* channels
  }

  /// Prefetches the columns that the tile to the right adds to this one: tiles are taken in this
  /// order, and their transforms are memory-bound.
  @inline(__always)
  func prefetchNext(_ images: UnsafePointer<Float>, rows: Int, columns: Range<Int>) {
    for row in 0..<rows {
      for column in columns { skd_prefetch(images + offset(row, column)) }
    }
  }

  @inline(__always)
  func contains(_ row: Int, _ column: Int) -> Bool {
    row >= rows.lowerBound && row < rows.upperBound && column >= columns.lowerBound
      && column < columns.upperBound
  }
}

/// Brings a tile of inputs to the points, normalised and activated on the way if requested; pixels
/// outside the image are zero.
struct WinogradInputTile<Point: ProductOperand>: WinogradTileWork {
  let images: UnsafePointer<Float>
  let window: WinogradWindow
  let normalization: ChannelNormalization?
  let target: WinogradPlanes<UnsafeMutablePointer<Point>>
  let slots: WinogradSlots

  @inline(never)
  func run<Rows: WinogradSpan, Columns: WinogradSpan>(_: Rows.Type, _: Columns.Type) {
    if let normalization {
      toPoints(Rows.self, Columns.self, normalization)
    } else {
      toPoints(Rows.self, Columns.self, NoNormalization())
    }
  }

  @inline(__always)
  private func toPoints<Rows: WinogradSpan, Columns: WinogradSpan, Map: InputMap>(
    _: Rows.Type, _: Columns.Type, _ map: Map
  ) {
    let isInside = window.rows == 0..<6 && window.columns == 0..<6
    // A smaller tile is the last one, and reaches beyond the image.
    if Rows.outputs == 4 && Columns.outputs == 4 && isInside {
      toPoints(Rows.self, Columns.self, map, mayBeOutside: false)
    } else {
      toPoints(Rows.self, Columns.self, map, mayBeOutside: true)
    }
    if window.channels % Vector.scalarCount > 0 { restToPoints(Rows.self, Columns.self, map) }
  }

  /// Whole vectors of channels.
  @inline(__always)
  private func toPoints<Rows: WinogradSpan, Columns: WinogradSpan, Map: InputMap>(
    _: Rows.Type, _: Columns.Type, _ map: Map, mayBeOutside: Bool
  ) {
    Winograd.withIntermediate { intermediate in
      for c in stride(from: 0, to: wholeVectors(window.channels), by: Vector.scalarCount) {
        toPoints(
          Rows.self, Columns.self, map, intermediate, channel: c, lanes: Vector.scalarCount,
          mayBeOutside: mayBeOutside)
      }
    }
  }

  /// The last channels, fewer than a vector: zeros take the place of the others.
  @inline(never)
  private func restToPoints<Rows: WinogradSpan, Columns: WinogradSpan, Map: InputMap>(
    _: Rows.Type, _: Columns.Type, _ map: Map
  ) {
    let channel = wholeVectors(window.channels)
    Winograd.withIntermediate { intermediate in
      toPoints(
        Rows.self, Columns.self, map, intermediate, channel: channel,
        lanes: window.channels &- channel, mayBeOutside: true)
    }
  }

  @inline(__always)
  private func toPoints<Rows: WinogradSpan, Columns: WinogradSpan, Map: InputMap>(
    _: Rows.Type, _: Columns.Type, _ map: Map, _ intermediate: Winograd.Intermediate,
    channel c: Int, lanes: Int, mayBeOutside: Bool
  ) {
    let norm = map.lanes(at: c, lanes)
    let source = images + c
    window.prefetchNext(source, rows: Rows.outputs &+ 2, columns: 6..<10)
    let base = target.base + (c / blockWidth &* target.blockStride &+ c % blockWidth)
    Winograd.inputToPoints(
      Rows.self, Columns.self, intermediate,
      { row, column in
        if mayBeOutside && !window.contains(row, column) { return Vector(repeating: 0) }
        return Map.value(source.vector(at: window.offset(row, column), lanes: lanes), norm)
      },
      { row, column, value in
        let plane = row &* 6 &+ column
        Point.store(
          value, at: base + (plane &* target.planeStride &+ slots.offset(row, column)))
      })
  }
}

/// Work on values as they are read.
private protocol InputMap {
  associatedtype Lanes
  func lanes(at channel: Int, _ lanes: Int) -> Lanes
  static func value(_ x: Vector, _ lanes: Lanes) -> Vector
}

private struct NoNormalization: InputMap {
  @inline(__always)
  func lanes(at channel: Int, _ lanes: Int) {}

  @inline(__always)
  static func value(_ x: Vector, _ lanes: Void) -> Vector { x }
}

extension ChannelNormalization: InputMap {
  @inline(__always)
  fileprivate func lanes(at channel: Int, _ lanes: Int) -> Lanes {
    self.lanes(at: channel, lanes: lanes)
  }

  @inline(__always)
  fileprivate static func value(_ x: Vector, _ lanes: Lanes) -> Vector { lanes.activated(x) }
}

/// The places of one tile in the planes of each kind, in elements from the plane's start.
struct WinogradSlots {
  private let offsets: SIMD4<Int>
  private let rowRest: Int
  private let columnRest: Int

  /// - Parameter slots: One number for each kind of plane.
  init(_ slots: SIMD4<Int>, _ tiling: WinogradTiling) {
    offsets = slots &* blockWidth
    (rowRest, columnRest) = (tiling.rows.rest, tiling.columns.rest)
  }

  @inline(__always)
  func offset(_ row: Int, _ column: Int) -> Int {
    // Points 0, 1 and 5 are in every span; 2 is missing only from the span of one output.
    let isRowShared = row < 2 || row == 5 || rowRest == 0 || (rowRest == 2 && row == 2)
    let isColumnShared =
      column < 2 || column == 5 || columnRest == 0 || (columnRest == 2 && column == 2)
    return isRowShared
      ? (isColumnShared ? offsets[0] : offsets[1]) : (isColumnShared ? offsets[2] : offsets[3])
  }
}

/// Brings a tile of output gradients to the points.
struct WinogradGradientTile<Point: ProductOperand>: WinogradTileWork {
  let gradients: UnsafePointer<Float>
  let window: WinogradWindow
  let target: WinogradPlanes<UnsafeMutablePointer<Point>>
  let slots: WinogradSlots

  @inline(never)
  func run<Rows: WinogradSpan, Columns: WinogradSpan>(_: Rows.Type, _: Columns.Type) {
    if window.rows.count == Rows.outputs && window.columns.count == Columns.outputs {
      toPoints(Rows.self, Columns.self, mayBeOutside: false)
    } else if Rows.outputs == 4 || Columns.outputs == 4 {
      // Three are left to a tile of four.
      toPoints(Rows.self, Columns.self, mayBeOutside: true)
    }
    if window.channels % Vector.scalarCount > 0 { restToPoints(Rows.self, Columns.self) }
  }

  /// Whole vectors of channels.
  @inline(__always)
  private func toPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type, mayBeOutside: Bool
  ) {
    Winograd.withIntermediate { intermediate in
      for c in stride(from: 0, to: wholeVectors(window.channels), by: Vector.scalarCount) {
        toPoints(
          Rows.self, Columns.self, intermediate, channel: c, lanes: Vector.scalarCount,
          mayBeOutside: mayBeOutside)
      }
    }
  }

  /// The last channels, fewer than a vector: zeros take the place of the others.
  @inline(never)
  private func restToPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type
  ) {
    let channel = wholeVectors(window.channels)
    Winograd.withIntermediate { intermediate in
      toPoints(
        Rows.self, Columns.self, intermediate, channel: channel, lanes: window.channels &- channel,
        mayBeOutside: true)
    }
  }

  @inline(__always)
  private func toPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type, _ intermediate: Winograd.Intermediate, channel c: Int,
    lanes: Int, mayBeOutside: Bool
  ) {
    let source = gradients + c
    window.prefetchNext(source, rows: Rows.outputs, columns: 4..<8)
    let base = target.base + (c / blockWidth &* target.blockStride &+ c % blockWidth)
    Winograd.gradientToPoints(
      Rows.self, Columns.self, intermediate,
      { row, column in
        if mayBeOutside && !window.contains(row, column) { return Vector(repeating: 0) }
        return source.vector(at: window.offset(row, column), lanes: lanes)
      },
      { row, column, value in
        let plane = row &* 6 &+ column
        Point.store(
          value, at: base + (plane &* target.planeStride &+ slots.offset(row, column)))
      })
  }
}

/// Takes the products of a tile back from the points, and writes the outputs inside the image.
struct WinogradOutputTile<Epilogue: OutputEpilogue>: WinogradTileWork {
  let source: WinogradPlanes<UnsafePointer<Float>>
  let slots: WinogradSlots
  /// The outputs that the products belong to.
  let channels: Range<Int>
  let window: WinogradWindow
  let outputs: UnsafeMutablePointer<Float>
  let epilogue: Epilogue

  @inline(never)
  func run<Rows: WinogradSpan, Columns: WinogradSpan>(_: Rows.Type, _: Columns.Type) {
    if window.rows.count == Rows.outputs && window.columns.count == Columns.outputs {
      fromPoints(Rows.self, Columns.self, mayBeOutside: false)
    } else if Rows.outputs == 4 || Columns.outputs == 4 {
      fromPoints(Rows.self, Columns.self, mayBeOutside: true)
    }
    if channels.count % Vector.scalarCount > 0 { restFromPoints(Rows.self, Columns.self) }
  }

  /// Whole vectors of channels.
  @inline(__always)
  private func fromPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type, mayBeOutside: Bool
  ) {
    for c in stride(from: 0, to: wholeVectors(channels.count), by: Vector.scalarCount) {
      fromPoints(
        Rows.self, Columns.self, after: c, lanes: Vector.scalarCount, mayBeOutside: mayBeOutside)
    }
  }

  /// The last channels, fewer than a vector.
  @inline(never)
  private func restFromPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type
  ) {
    let first = wholeVectors(channels.count)
    fromPoints(
      Rows.self, Columns.self, after: first, lanes: channels.count &- first, mayBeOutside: true)
  }

  @inline(__always)
  private func fromPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type, after c: Int, lanes: Int, mayBeOutside: Bool
  ) {
    let base = source.base + (c / blockWidth &* source.blockStride &+ c % blockWidth)
    let channel = channels.lowerBound &+ c
    let target = outputs + channel
    var finishing = epilogue.lanes(at: channel, lanes: lanes)
    Winograd.outputFromPoints(
      Rows.self, Columns.self,
      { row, column in
        let plane = row &* 6 &+ column
        return base.vector(at: plane &* source.planeStride &+ slots.offset(row, column))
      },
      { row, column, value in
        if mayBeOutside && !window.contains(row, column) { return }
        let offset = window.offset(row, column)
        target.store(finishing.finish(value, at: offset), at: offset, lanes: lanes)
      })
    finishing.close()
  }
}
