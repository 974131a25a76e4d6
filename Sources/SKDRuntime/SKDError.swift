/// What can go wrong in a call that its caller could have made differently.
///
/// Mistakes of this library itself are `precondition` failures instead.
public enum SKDError: Error, Equatable, Sendable {
  /// An argument is outside its domain; the message names the argument, its owner, what is legal
  /// and what came: "quarter_turns of rotate_images must be in {0, 1, 2, 3}; got 7".
  case invalidArgument(String)
  /// A loss or a gradient is not finite; the message gives the step and the values.
  case nonFinite(String)
  /// A buffer does not fit into memory; the message gives the bytes asked for.
  case outOfMemory(String)
  /// A function of the caller reported that it failed; the message names it.
  case callbackFailed(String)

  /// The reason, as a sentence for the caller.
  public var message: String {
    switch self {
    case .invalidArgument(let message), .nonFinite(let message), .outOfMemory(let message),
      .callbackFailed(let message):
      return message
    }
  }
}

/// Throws `SKDError.invalidArgument` with `message` unless `condition` holds.
@inlinable
public func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  if !condition { throw SKDError.invalidArgument(message()) }
}
