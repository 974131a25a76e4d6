import CLibrary
import CSKD
import SKDRuntime

/// Runs the Swift side of a call of `skd_<function>`: the one place where errors become status codes.
func status(_ function: String, _ body: (Arguments) throws -> Void) -> skd_status {
  do {
    try body(Arguments(function))
    return skd_status(SKD_OK)
  } catch SKDError.invalidArgument(let argument) {
    let named = argument.inC(of: function)
    LastError(named.message, named).keep()
    return skd_status(SKD_INVALID_ARGUMENT)
  } catch let error as SKDError {
    LastError(error.message).keep()
    switch error {
    case .invalidArgument: return skd_status(SKD_INVALID_ARGUMENT)
    case .nonFinite: return skd_status(SKD_NON_FINITE)
    case .outOfMemory: return skd_status(SKD_OUT_OF_MEMORY)
    case .callbackFailed: return skd_status(SKD_CALLBACK_FAILED)
    }
  } catch {
    LastError("\(error)").keep()
    return skd_status(SKD_INVALID_ARGUMENT)
  }
}

@c @implementation
public func skd_last_error() -> UnsafePointer<CChar>! {
  LastError.ofThread.map { UnsafePointer($0.message) } ?? emptyMessage
}

@c @implementation
public func skd_last_refusal() -> UnsafePointer<skd_refusal>! {
  LastError.ofThread?.refusal.map { UnsafePointer($0) }
}

nonisolated(unsafe) private let emptyMessage = UnsafePointer<CChar>(strdup("")!)

/// Why the last failing call of a thread failed, in memory that C can read.
private final class LastError {
  let message: UnsafeMutablePointer<CChar>
  /// Its strings belong to this object; nil if no argument was refused.
  let refusal: UnsafeMutablePointer<skd_refusal>?

  init(_ text: String, _ argument: InvalidArgument? = nil) {
    message = strdup(text)
    refusal = argument.map { argument in
      let refusal = UnsafeMutablePointer<skd_refusal>.allocate(capacity: 1)
      let bounds = argument.bounds
      refusal.initialize(
        to: skd_refusal(
          argument: strdup(argument.argument), owner: strdup(argument.owner),
          legal: strdup(argument.legal), got: argument.got.flatMap { strdup($0) },
          has_bounds: bounds == nil ? 0 : 1, minimum: Int64(bounds?.minimum ?? 0),
          maximum: Int64(bounds?.maximum ?? 0), value: Int64(bounds?.value ?? 0),
          unit: bounds?.unit.flatMap { strdup($0) }))
      return refusal
    }
  }

  deinit {
    free(message)
    guard let refusal else { return }
    let parts = refusal.pointee
    for text in [parts.argument, parts.owner, parts.legal, parts.got, parts.unit] {
      free(UnsafeMutablePointer(mutating: text))
    }
    refusal.deallocate()
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { error in
      if let error { Unmanaged<LastError>.fromOpaque(error).release() }
    }
    return key
  }()

  static var ofThread: LastError? {
    pthread_getspecific(key).map { Unmanaged<LastError>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Replaces the error of this thread.
  func keep() {
    let previous = pthread_getspecific(Self.key)
    pthread_setspecific(Self.key, Unmanaged.passRetained(self).toOpaque())
    if let previous { Unmanaged<LastError>.fromOpaque(previous).release() }
  }
}
