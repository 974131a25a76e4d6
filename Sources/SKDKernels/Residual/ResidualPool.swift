import SKDRuntime

/// The end of a residual block: two branches are normalised, added, activated and pooled, in one
/// pass over each.
///
///     output = max over 2x2 windows of leaky(norm(main) + norm(side))
///
/// An odd last row or column of the branches is ignored.
public struct ResidualPool: ResidualTail {
  public let branches: ResidualBranches

  public init(_ branches: ResidualBranches) { self.branches = branches }

  private var shape: ImageShape { branches.shape }
  private var slope: Float { branches.slope }

  /// Pairs of rows of an image; the last one of an odd height is a single row.
  private var rowPairs: Int { (shape.height + 1) / 2 }
  private var rowElements: Int { shape.width * shape.channels }
  private var pairsPerGroup: Int { chunkRows(rowElements: 2 * rowElements) }

  public var outputShape: ImageShape { shape.pooled }

  public var groups: Int { ceilDivide(shape.batch * rowPairs, pairsPerGroup) }

  /// Writes (`=`) the output, of extent `shape.pooled`.
  public func forward(_ output: UnsafeMutablePointer<Float>) {
    let pooled = shape.pooled
    forEachChunk(of: shape.batch * rowPairs, size: pairsPerGroup) { start, end in
      for pair in start..<end {
        let (image, i) = pair.quotientAndRemainder(dividingBy: rowPairs)
        guard i < pooled.height else { continue }
        let row = output + (image * pooled.height + i) * pooled.width * shape.channels
        forEachVector(shape.channels) { c, lanes in
          let window = Window(self, image: image, row: i, channel: c, lanes: lanes)
          for j in 0..<pooled.width {
            let best = window.values(j).largest
            row.store(best, at: j &* shape.channels &+ c, lanes: lanes)
          }
        }
      }
    }
  }

  /// The gradient of the sum of the branches: each window's gradient goes to its first maximum in
  /// row-major order, through LeakyReLU; everything else is 0.
  ///
  /// - Parameters:
  ///   - dOutput: Array of extent `shape.pooled`.
  ///   - dSum: Array of extent `shape`; overwritten.
  ///   - mainRecords, sideRecords: As for `ResidualTail`.
  public func backward(
    _ dOutput: UnsafePointer<Float>, dSum: UnsafeMutablePointer<Float>,
    mainRecords: ChannelSumRecords?, sideRecords: ChannelSumRecords?
  ) {
    let pooled = shape.pooled
    forEachChunk(of: shape.batch * rowPairs, size: pairsPerGroup) { start, end in
      let group = start / pairsPerGroup
      let (mainSums, sideSums) = (mainRecords?.opened(group), sideRecords?.opened(group))
      for pair in start..<end {
        let (image, i) = pair.quotientAndRemainder(dividingBy: rowPairs)
        guard i < pooled.height else {
          let row = dSum + (image * shape.height + 2 * i) * rowElements
          row.update(repeating: 0, count: rowElements)
          continue
        }
        let gradients = dOutput + (image * pooled.height + i) * pooled.width * shape.channels
        forEachVector(shape.channels) { c, lanes in
          distribute(
            gradients + c, into: dSum,
            Window(self, image: image, row: i, channel: c, lanes: lanes),
            main: mainSums, side: sideSums)
        }
      }
    }
  }

  /// One row of windows and up to 16 channels of `backward`.
  @inline(__always)
  private func distribute(
    _ gradients: UnsafePointer<Float>, into dSum: UnsafeMutablePointer<Float>, _ window: Window,
    main: ChannelSums?, side: ChannelSums?
  ) {
    let (channel, lanes) = (window.channel, window.lanes)
    var sum = Vector(repeating: 0)
    var (mainProduct, sideProduct) = (sum, sum)
    for j in 0..<shape.width / 2 {
      let values = window.values(j)
      let gradient = gradients.vector(at: j &* shape.channels, lanes: lanes)
      for k in 0..<4 {
        // LeakyReLU keeps the sign of the sum.
        let value = values.activated[k]
        let through = (gradient * slope).replacing(with: gradient, where: value .> 0)
        let g = through.replacing(with: 0, where: .!values.isLargest(k))
        let offset = window.offset(j, k)
        dSum.store(g, at: offset, lanes: lanes)
        sum += g
        mainProduct = mainProduct.addingRelaxedProduct(
          g, branches.main.vector(at: offset, lanes: lanes) - window.branches.main.mean)
        sideProduct = sideProduct.addingRelaxedProduct(
          g, branches.side.vector(at: offset, lanes: lanes) - window.branches.side.mean)
      }
    }
    if shape.width % 2 == 1 {
      for row in 0..<2 {
        let last = window.offset(shape.width / 2, 2 * row)
        dSum.store(Vector(repeating: 0), at: last, lanes: lanes)
      }
    }
    main?.add(sum, mainProduct, at: channel, lanes: lanes)
    side?.add(sum, sideProduct, at: channel, lanes: lanes)
  }

  /// A row of windows, and up to 16 channels of it.
  private struct Window {
    let pool: ResidualPool
    let channel: Int
    let lanes: Int
    let branches: ResidualBranches.Lanes
    private let start: Int

    @inline(__always)
    init(_ pool: ResidualPool, image: Int, row: Int, channel: Int, lanes: Int) {
      (self.pool, self.channel, self.lanes) = (pool, channel, lanes)
      branches = ResidualBranches.Lanes(pool.branches, channel: channel, lanes: lanes)
      start = (image * pool.shape.height + 2 * row) * pool.rowElements + channel
    }

    /// Offset of value k = 0...3 of window j.
    @inline(__always)
    func offset(_ j: Int, _ k: Int) -> Int {
      start &+ (k / 2) &* pool.rowElements &+ (2 &* j &+ k % 2) &* pool.shape.channels
    }

    @inline(__always)
    func values(_ j: Int) -> Values {
      Values(
        activated: InlineArray<4, Vector> { k in
          let sum = branches.sum(at: offset(j, k))
          return (sum * pool.slope).replacing(with: sum, where: sum .> 0)
        })
    }
  }

  /// The four activated values of a window.
  private struct Values {
    let activated: InlineArray<4, Vector>

    @inline(__always)
    var largest: Vector {
      var best = activated[0]
      for k in 1..<4 { best.replace(with: activated[k], where: activated[k] .> best) }
      return best
    }

    /// Mask of the lanes in which value k is the first of the largest.
    @inline(__always)
    func isLargest(_ k: Int) -> SIMDMask<Vector.MaskStorage> {
      var isLargest = SIMDMask<Vector.MaskStorage>(repeating: true)
      for other in 0..<4 where other != k {
        // Not above the value, for a NaN is no larger than anything either.
        isLargest =
          isLargest
          .& (other < k
            ? (activated[k] .> activated[other]) : .!(activated[other] .> activated[k]))
      }
      return isLargest
    }
  }
}
