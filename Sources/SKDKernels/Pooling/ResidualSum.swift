import SKDRuntime

/// The end of a residual block without pooling: two branches are normalised, added and activated, in
/// one pass over each.
///
///     output = leaky(norm(main) + norm(side))
public struct ResidualSum: ResidualTail {
  /// Extent of the branches and of the output.
  public let shape: ImageShape
  /// Of LeakyReLU, above 0.
  public let slope: Float
  /// `[batch, height, width, channels]` each.
  public let main, side: UnsafePointer<Float>
  /// Of the branches, without activation; nil if they are added as they are.
  public let mainNormalization, sideNormalization: ChannelNormalization?

  public init(
    shape: ImageShape, slope: Float, main: UnsafePointer<Float>,
    mainNormalization: ChannelNormalization?, side: UnsafePointer<Float>,
    sideNormalization: ChannelNormalization?
  ) {
    (self.shape, self.slope) = (shape, slope)
    (self.main, self.mainNormalization) = (main, mainNormalization)
    (self.side, self.sideNormalization) = (side, sideNormalization)
  }

  public var outputShape: ImageShape { shape }
  private var rowsPerGroup: Int { chunkRows(rowElements: shape.channels) }
  public var groups: Int { ceilDivide(shape.rows, rowsPerGroup) }

  public func forward(_ output: UnsafeMutablePointer<Float>) {
    forEachChunk(of: shape.rows, size: rowsPerGroup) { start, end in
      forEachNative(shape.channels) { c, lanes in
        let column = Column(self, channel: c, lanes: lanes)
        for row in start..<end {
          let offset = row &* shape.channels &+ c
          let sum = column.sum(at: offset)
          let activated = (sum * slope).replacing(with: sum, where: sum .> 0)
          output.storeNative(activated, at: offset, lanes: lanes)
        }
      }
    }
  }

  public func backward(
    _ dOutput: UnsafePointer<Float>, dSum: UnsafeMutablePointer<Float>,
    mainRecords: UnsafeMutablePointer<Float>?, sideRecords: UnsafeMutablePointer<Float>?
  ) {
    forEachChunk(of: shape.rows, size: rowsPerGroup) { start, end in
      let group = start / rowsPerGroup
      let mainSums = ChannelSums.opened(mainRecords, group: group, channels: shape.channels)
      let sideSums = ChannelSums.opened(sideRecords, group: group, channels: shape.channels)
      forEachNative(shape.channels) { c, lanes in
        let column = Column(self, channel: c, lanes: lanes)
        var sum = Vector(repeating: 0)
        var (mainProduct, sideProduct) = (sum, sum)
        for row in start..<end {
          let offset = row &* shape.channels &+ c
          let gradient = dOutput.native(at: offset, lanes: lanes)
          let g = (gradient * slope).replacing(with: gradient, where: column.sum(at: offset) .> 0)
          dSum.storeNative(g, at: offset, lanes: lanes)
          sum += g
          mainProduct = mainProduct.addingRelaxedProduct(
            g, main.native(at: offset, lanes: lanes) - column.mainLanes.mean)
          sideProduct = sideProduct.addingRelaxedProduct(
            g, side.native(at: offset, lanes: lanes) - column.sideLanes.mean)
        }
        mainSums?.add(sum, mainProduct, at: c, lanes: lanes)
        sideSums?.add(sum, sideProduct, at: c, lanes: lanes)
      }
    }
  }

  /// Up to 16 channels of both branches.
  private struct Column {
    let tail: ResidualSum
    let lanes: Int
    let mainLanes, sideLanes: ChannelNormalization.Lanes

    @inline(__always)
    init(_ tail: ResidualSum, channel: Int, lanes: Int) {
      (self.tail, self.lanes) = (tail, lanes)
      mainLanes = tail.mainNormalization?.lanes(at: channel, lanes: lanes) ?? .identity
      sideLanes = tail.sideNormalization?.lanes(at: channel, lanes: lanes) ?? .identity
    }

    @inline(__always)
    func sum(at offset: Int) -> Vector {
      mainLanes.normalized(tail.main.native(at: offset, lanes: lanes))
        + sideLanes.normalized(tail.side.native(at: offset, lanes: lanes))
    }
  }
}
