import CSKD
import SKDKernels
import SKDRuntime

/// Checks that several operations share.
extension Arguments {
  /// The number of elements of an operation that works on each by itself; 0 is allowed.
  func elements(_ count: Int64) throws -> Int {
    try size(count, "count", in: 0...Self.maximumElements)
  }

  /// Throws unless a matrix of `rows` and `columns` has a legal size.
  func matrix(_ rows: Int64, _ columns: Int64, columnsName: String, minimumRows: Int = 1) throws
    -> (rows: Int, columns: Int)
  {
    let rows = try size(rows, "rows", in: minimumRows...Self.maximumExtent)
    let columns = try size(columns, columnsName)
    _ = try count(rows, columns, of: "rows * \(columnsName)")
    return (rows, columns)
  }

  /// The shape behind `pointer`, with height and width at least `minimumSide`.
  func shape(_ pointer: UnsafePointer<skd_image_shape>?, minimumSide: Int = 1) throws
    -> ImageShape
  {
    let shape = try shape(self.pointer(pointer, "shape").pointee, "shape")
    try require(
      min(shape.height, shape.width) >= minimumSide, "shape",
      "have height and width >= \(minimumSide)", got: "\(shape.height) x \(shape.width)")
    return shape
  }

  /// Throws unless `value` is finite.
  func finite(_ value: Float, _ name: String) throws {
    try require(value.isFinite, name, "be finite", got: value)
  }

  /// Throws unless `value` is above 0 and finite.
  func positive(_ value: some BinaryFloatingPoint, _ name: String) throws {
    try require(value > 0 && value.isFinite, name, "be > 0 and finite", got: value)
  }

  /// Throws unless `rate` is in 0..<1.
  func rate(_ rate: Float) throws {
    try require((0..<1).contains(rate), "rate", "be in [0, 1)", got: rate)
  }

  /// A C truth value.
  func flag(_ value: Int32, _ name: String) throws -> Bool {
    try size(Int64(value), name, in: 0...1) == 1
  }

  /// A training step, as far as the random streams tell steps apart.
  func step(_ step: Int64) throws -> Int { try size(step, "step", in: 0...(1 << 48) - 1) }
}
