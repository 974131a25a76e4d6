/// Errors of a call that its caller could have made differently.
///
/// Mistakes of this library itself are `precondition` failures instead.
public enum SKDError: Error, Equatable, Sendable {
  /// An argument is outside its domain.
  case invalidArgument(InvalidArgument)
  /// A loss or a gradient is not finite; the message gives the step and the values.
  case nonFinite(String)
  /// A buffer does not fit into memory; the message gives its size in bytes.
  case outOfMemory(String)
  /// A function of the caller reported that it failed; the message names it.
  case callbackFailed(String)

  /// The reason, as a sentence for the caller.
  public var message: String {
    switch self {
    case .invalidArgument(let argument): return argument.message
    case .nonFinite(let message), .outOfMemory(let message), .callbackFailed(let message):
      return message
    }
  }
}

/// An argument outside its domain, in parts: each boundary spells them with its own names.
public struct InvalidArgument: Equatable, Sendable {
  /// The integers that are legal, and the one that came.
  public struct Bounds: Equatable, Sendable {
    public let minimum, maximum, value: Int
    /// Unit of the integers, such as "elements"; nil if they are the argument itself.
    public let unit: String?

    public init(_ minimum: Int, _ maximum: Int, value: Int, unit: String? = nil) {
      (self.minimum, self.maximum, self.value, self.unit) = (minimum, maximum, value, unit)
    }
  }

  public var argument: String
  /// The function or type that the argument was given to.
  public var owner: String
  /// Requirement on the argument, as the words after "must": "be finite".
  public var legal: String
  /// Value received; nil where there is nothing to say.
  public var got: String?
  /// Set if `legal` tells the bounds of an integer, which languages write differently.
  public var bounds: Bounds?

  public init(
    _ argument: String, of owner: String, _ legal: String, got: String? = nil,
    bounds: Bounds? = nil
  ) {
    (self.argument, self.owner, self.legal) = (argument, owner, legal)
    (self.got, self.bounds) = (got, bounds)
  }

  /// An integer that must be in `range`.
  ///
  /// - Parameter index: Position of the integer, if the argument is an array.
  public init(
    _ argument: String, of owner: String, in range: ClosedRange<Int>, got value: Int,
    at index: Int? = nil
  ) {
    self.init(
      argument, of: owner, "be in \(range.lowerBound)...\(range.upperBound)",
      got: index.map { "\(value) at index \($0)" } ?? "\(value)",
      bounds: Bounds(range.lowerBound, range.upperBound, value: value))
  }

  /// "images of trainer_step must be finite; got nan at index 0"
  public var message: String {
    "\(argument) of \(owner) must \(legal)" + (got.map { "; got \($0)" } ?? "")
  }
}

/// Throws `SKDError.invalidArgument` unless `condition` holds.
///
/// - Parameter legal: The words after "must".
public func require(
  _ condition: Bool, _ argument: @autoclosure () -> String, of owner: @autoclosure () -> String,
  _ legal: @autoclosure () -> String, got: @autoclosure () -> String? = nil
) throws {
  if condition { return }
  throw SKDError.invalidArgument(InvalidArgument(argument(), of: owner(), legal(), got: got()))
}

/// Throws `SKDError.invalidArgument` unless `value` is in `range`.
///
/// - Parameter index: Position of the integer, if the argument is an array.
public func require(
  _ value: Int, in range: ClosedRange<Int>, _ argument: String, of owner: String,
  at index: Int? = nil
) throws {
  if range.contains(value) { return }
  throw SKDError.invalidArgument(
    InvalidArgument(argument, of: owner, in: range, got: value, at: index))
}
