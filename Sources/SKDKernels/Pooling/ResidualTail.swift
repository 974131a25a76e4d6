/// What ends a residual block: a kernel that joins its two branches.
public protocol ResidualTail {
  var outputShape: ImageShape { get }

  /// Groups of positions whose gradient sums `backward` takes.
  var groups: Int { get }

  /// Writes (`=`) the output, of extent `outputShape`. Allocates nothing.
  func forward(_ output: UnsafeMutablePointer<Float>)

  /// The gradient of the sum of the normalised branches. Allocates nothing.
  ///
  /// - Parameters:
  ///   - dOutput: Of extent `outputShape`.
  ///   - dSum: Of the extent of the branches; overwritten. Must not overlap `dOutput`.
  ///   - mainRecords, sideRecords: Overwritten by the gradient sums of the branches' batch norms,
  ///     `channelSumsCount` floats for `groups` groups each; nil for a branch without one.
  func backward(
    _ dOutput: UnsafePointer<Float>, dSum: UnsafeMutablePointer<Float>,
    mainRecords: UnsafeMutablePointer<Float>?, sideRecords: UnsafeMutablePointer<Float>?)
}
