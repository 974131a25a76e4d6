/// The two branches of a residual block, which a `ResidualTail` joins.
public struct ResidualBranches {
  /// Extent of both branches.
  public let shape: ImageShape
  /// Slope of LeakyReLU, above 0.
  public let slope: Float
  /// `[batch, height, width, channels]` each.
  public let main, side: UnsafePointer<Float>
  /// Norms of the branches, without activation; nil if they are joined as they are.
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

  /// The part of `Vector` channels of both branches.
  struct Lanes {
    let main, side: ChannelNormalization.Lanes
    private let branches: ResidualBranches
    private let lanes: Int

    @inline(__always)
    init(_ branches: ResidualBranches, channel: Int, lanes: Int) {
      (self.branches, self.lanes) = (branches, lanes)
      main = branches.mainNormalization?.lanes(at: channel, lanes: lanes) ?? .identity
      side = branches.sideNormalization?.lanes(at: channel, lanes: lanes) ?? .identity
    }

    /// The sum of the normalised branches.
    @inline(__always)
    func sum(at offset: Int) -> Vector {
      main.normalized(branches.main.vector(at: offset, lanes: lanes))
        + side.normalized(branches.side.vector(at: offset, lanes: lanes))
    }
  }
}

/// The end of a residual block: a kernel that joins its two branches.
public protocol ResidualTail {
  var outputShape: ImageShape { get }

  /// Groups of positions whose gradient sums `backward` takes.
  var groups: Int { get }

  /// Writes (`=`) the output, of extent `outputShape`. Allocates nothing.
  func forward(_ output: UnsafeMutablePointer<Float>)

  /// The gradient of the sum of the normalised branches. Allocates nothing.
  ///
  /// - Parameters:
  ///   - dOutput: Array of extent `outputShape`.
  ///   - dSum: Array of the extent of the branches; overwritten. Must not overlap `dOutput`.
  ///   - mainRecords, sideRecords: Records of `groups` groups, overwritten by gradient sums of the
  ///     branches' batch norms; nil for a branch without one.
  func backward(
    _ dOutput: UnsafePointer<Float>, dSum: UnsafeMutablePointer<Float>,
    mainRecords: ChannelSumRecords?, sideRecords: ChannelSumRecords?)
}
