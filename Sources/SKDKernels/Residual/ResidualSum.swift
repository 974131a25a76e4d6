import SKDRuntime

/// The end of a residual block without pooling: two branches are normalised, added and activated, in
/// one pass over each.
///
///     output = leaky(norm(main) + norm(side))
public struct ResidualSum: ResidualTail {
  public let branches: ResidualBranches

  public init(_ branches: ResidualBranches) { self.branches = branches }

  private var shape: ImageShape { branches.shape }
  private var slope: Float { branches.slope }

  public var outputShape: ImageShape { shape }
  private var rowsPerGroup: Int { chunkRows(rowElements: shape.channels) }
  public var groups: Int { ceilDivide(shape.rows, rowsPerGroup) }

  public func forward(_ output: UnsafeMutablePointer<Float>) {
    forEachChunk(of: shape.rows, size: rowsPerGroup) { start, end in
      forEachVector(shape.channels) { c, lanes in
        let column = ResidualBranches.Lanes(branches, channel: c, lanes: lanes)
        for row in start..<end {
          let offset = row &* shape.channels &+ c
          let sum = column.sum(at: offset)
          let activated = (sum * slope).replacing(with: sum, where: sum .> 0)
          output.store(activated, at: offset, lanes: lanes)
        }
      }
    }
  }

  public func backward(
    _ dOutput: UnsafePointer<Float>, dSum: UnsafeMutablePointer<Float>,
    mainRecords: ChannelSumRecords?, sideRecords: ChannelSumRecords?
  ) {
    forEachChunk(of: shape.rows, size: rowsPerGroup) { start, end in
      let group = start / rowsPerGroup
      let (mainSums, sideSums) = (mainRecords?.opened(group), sideRecords?.opened(group))
      forEachVector(shape.channels) { c, lanes in
        let column = ResidualBranches.Lanes(branches, channel: c, lanes: lanes)
        var sum = Vector(repeating: 0)
        var (mainProduct, sideProduct) = (sum, sum)
        for row in start..<end {
          let offset = row &* shape.channels &+ c
          let gradient = dOutput.vector(at: offset, lanes: lanes)
          let g = (gradient * slope).replacing(with: gradient, where: column.sum(at: offset) .> 0)
          dSum.store(g, at: offset, lanes: lanes)
          sum += g
          mainProduct = mainProduct.addingRelaxedProduct(
            g, branches.main.vector(at: offset, lanes: lanes) - column.main.mean)
          sideProduct = sideProduct.addingRelaxedProduct(
            g, branches.side.vector(at: offset, lanes: lanes) - column.side.mean)
        }
        mainSums?.add(sum, mainProduct, at: c, lanes: lanes)
        sideSums?.add(sum, sideProduct, at: c, lanes: lanes)
      }
    }
  }
}
