/// The ways to compute a convolution.
public enum Conv2DAlgorithm: Sendable {
  /// Winograd's F(4x4, 3x3): 2.25 multiplications per output and channel instead of 9.
  case winograd
  /// The same with the operands of its products rounded to bfloat16; sums are float32.
  case winogradBFloat16
  /// Patches are gathered into a matrix, a block at a time, and multiplied with the weights.
  case gemm

  /// Purpose of a convolution.
  public enum Purpose: Sendable {
    case training
    case evaluation
  }

  /// With fewer tiles than this, transforming the weights costs more than it saves.
  private static func fewestTiles(_ purpose: Purpose) -> Int { purpose == .training ? 32 : 4 }

  /// Below this many products, GEMM's smaller rounding is worth more than Winograd's speed. In
  /// training that is a millisecond's work, for rounding decides on which side of a switch a value
  /// falls, and steps amplify it; in evaluation it is the work on the layers of a single image.
  private static func fewestProducts(_ purpose: Purpose) -> Int {
    purpose == .training ? 1 << 27 : 1 << 24
  }

  /// With fewer channels, transforming the images costs more than it saves.
  private static let fewestChannels = 8

  // See Package.swift.
  #if SKD_WITHOUT_WINOGRAD
    private static let mayBeWinograd = false
  #else
    private static let mayBeWinograd = true
  #endif

  /// The choice for a geometry; it depends on the extents alone, so that results do not depend on
  /// the number of threads or on the machine.
  ///
  /// - Parameter precision: `.bfloat16` allows, not demands it: GEMM is float32 in either.
  public init(
    for geometry: Conv2DGeometry, purpose: Purpose = .training, precision: Precision = .float32
  ) {
    let winograd = precision == .float32 ? Self.winograd : .winogradBFloat16
    let (inputs, outputs) = (geometry.input.channels, geometry.outputChannels)
    // With other widths than multiples of 32, the choice for a single image holds for all batches, so
    // that an evaluation does not depend on how its images are divided.
    var output = geometry.output
    if purpose == .evaluation, inputs % blockWidth != 0 || outputs % blockWidth != 0 {
      output.batch = min(output.batch, 1)
    }
    let tiles = WinogradTiling(output).tileCount
    // A width is computed as the next multiple of 32 is, so that it never takes longer.
    let products = 9 * output.rows * wholeBlocks(inputs) * wholeBlocks(outputs)
    let paysOff =
      tiles >= Self.fewestTiles(purpose) && products >= Self.fewestProducts(purpose)
      && min(inputs, outputs) >= Self.fewestChannels
    self = winograd.supports(geometry) && paysOff && Self.mayBeWinograd ? winograd : .gemm
  }

  /// Precision of the operands of its products.
  var precision: Precision { self == .winogradBFloat16 ? .bfloat16 : .float32 }

  /// Whether this algorithm can compute a geometry.
  public func supports(_ geometry: Conv2DGeometry) -> Bool {
    switch self {
    case .winograd, .winogradBFloat16:
      return geometry.kernelSize == 3 && geometry.stride == 1 && geometry.padding <= 2
    case .gemm:
      return true
    }
  }
}
