import CSKD
import SKDKernels
import SKDRuntime

/// Checks of arguments that come from C. Each names the argument and the function it belongs to.
struct Arguments {
  /// The C function, without its `skd_` prefix.
  let function: String

  init(_ function: String) { self.function = function }

  /// `size` as an `Int`, if it lies in `range`.
  func size(_ size: Int64, _ name: String, in range: ClosedRange<Int> = 1...(1 << 40)) throws
    -> Int
  {
    guard let value = Int(exactly: size), range.contains(value) else {
      throw SKDError.invalidArgument(
        "\(name) of \(function) must be in \(range.lowerBound)...\(range.upperBound); got \(size)")
    }
    return value
  }

  /// `pointer`, if it is not NULL.
  func pointer<Pointer>(_ pointer: Pointer?, _ name: String) throws -> Pointer {
    guard let pointer else {
      throw SKDError.invalidArgument("\(name) of \(function) must not be NULL")
    }
    return pointer
  }

  /// The product of extents, if it stays below 2^40 elements.
  func count(_ extents: Int..., of name: String) throws -> Int {
    var product = 1
    for extent in extents {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      try require(
        !overflow && next <= Self.maximumElements,
        "\(name) of \(function) must have at most 2^40 elements; got extents \(extents)")
      product = next
    }
    return product
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

  /// Throws unless `value` is finite and in `range`.
  func number<Value: BinaryFloatingPoint>(
    _ value: Value, _ name: String, in range: ClosedRange<Value>
  ) throws {
    try require(
      range.contains(value),
      "\(name) of \(function) must be in \(range.lowerBound)...\(range.upperBound); got \(value)")
  }

  /// Throws unless every label is in `0..<classes`.
  func labels(_ labels: UnsafePointer<Int64>, count: Int, classes: Int, _ name: String = "labels")
    throws
  {
    for i in 0..<count where labels[i] < 0 || labels[i] >= Int64(classes) {
      throw SKDError.invalidArgument(
        "\(name) of \(function) must be in 0...\(classes - 1); got \(labels[i]) at index \(i)")
    }
  }

  /// Throws unless every one of `count` values is finite.
  func finite(_ values: UnsafePointer<Float>, count: Int, _ name: String) throws {
    for i in 0..<count where !values[i].isFinite {
      throw SKDError.invalidArgument(
        "\(name) of \(function) must be finite; got \(values[i]) at index \(i)")
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
