import CSKD
import SKDKernels
import SKDRuntime

/// Checks of arguments that come from C, which throw with the argument's name and its function's.
struct Arguments {
  /// The C function, without its `skd_` prefix.
  let function: String

  init(_ function: String) { self.function = function }

  /// `size` as an `Int`, if it lies in `range`.
  func size(_ size: Int64, _ name: String, in range: ClosedRange<Int> = 1...(1 << 40)) throws
    -> Int
  {
    try SKDRuntime.require(Int(size), in: range, name, of: function)
    return Int(size)
  }

  /// Throws unless `condition` holds.
  ///
  /// - Parameter legal: The words after "must", in no language's notation.
  func require(
    _ condition: Bool, _ name: @autoclosure () -> String, _ legal: @autoclosure () -> String,
    got: @autoclosure () -> Any? = nil
  ) throws {
    try SKDRuntime.require(
      condition, name(), of: function, legal(), got: got().map { "\($0)" })
  }

  /// `pointer`, if it is not NULL.
  func pointer<Pointer>(_ pointer: Pointer?, _ name: String) throws -> Pointer {
    guard let pointer else {
      throw SKDError.invalidArgument(InvalidArgument(name, of: function, "not be NULL"))
    }
    return pointer
  }

  /// The product of extents, if it stays below 2^40 elements.
  func count(_ extents: Int..., of name: String) throws -> Int {
    let product = extents.reduce(1) { product, extent in
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      return overflow ? .max : next
    }
    if product <= Self.maximumElements { return product }
    throw SKDError.invalidArgument(
      InvalidArgument(
        name, of: function, "have at most 2^40 elements", got: "extents \(extents)",
        bounds: .init(0, Self.maximumElements, value: product, unit: "elements")))
  }

  /// `shape` as the kernels' type.
  func shape(_ shape: skd_image_shape, _ name: String, minimumBatch: Int = 1) throws -> ImageShape {
    let result = ImageShape(
      batch: try size(shape.batch, "\(name).batch", in: minimumBatch...Self.maximumExtent),
      height: try size(shape.height, "\(name).height"),
      width: try size(shape.width, "\(name).width"),
      channels: try size(shape.channels, "\(name).channels"))
    _ = try count(result.batch, result.height, result.width, result.channels, of: name)
    return result
  }

  /// Throws unless `value` is in `range`.
  func number<Value: BinaryFloatingPoint>(
    _ value: Value, _ name: String, in range: ClosedRange<Value>
  ) throws {
    let isBounded = range.upperBound < Value.greatestFiniteMagnitude
    let upper = isBounded ? "at most \(range.upperBound)" : "finite"
    try require(
      range.contains(value), name, "be at least \(range.lowerBound) and \(upper)", got: value)
  }

  /// Throws unless every label is in `0..<classes`.
  func labels(_ labels: UnsafePointer<Int64>, count: Int, classes: Int, _ name: String = "labels")
    throws
  {
    try numbers(labels, count: count, name, in: 0...classes - 1)
  }

  /// Throws unless every number is in `range`.
  func numbers(
    _ numbers: UnsafePointer<Int64>, count: Int, _ name: String, in range: ClosedRange<Int>
  ) throws {
    for i in 0..<count {
      try SKDRuntime.require(Int(numbers[i]), in: range, name, of: function, at: i)
    }
  }

  /// Throws unless every one of `count` values is finite.
  func finite<Value: BinaryFloatingPoint>(
    _ values: UnsafePointer<Value>, count: Int, _ name: String
  ) throws {
    for i in 0..<count where !values[i].isFinite {
      try require(false, name, "be finite", got: "\(values[i]) at index \(i)")
    }
  }

  /// A copy of `count` values, if every one of them is finite. The values may be views of the state
  /// that they are to replace, or another thread may change them: nothing changes the copy.
  func finiteCopy(of values: UnsafePointer<Float>, count: Int, _ name: String) throws
    -> AlignedBuffer<Float>
  {
    let copy = try AlignedBuffer<Float>(count: count)
    copy.pointer.update(from: values, count: count)
    try finite(copy.pointer, count: count, name)
    return copy
  }

  static let maximumExtent = 1 << 40
  static let maximumElements = 1 << 40
}
