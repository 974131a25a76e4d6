import CSKD
import SKDRuntime

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs the Swift side of a C call: the one place where errors become status codes.
func status(_ body: () throws -> Void) -> skd_status {
  do {
    try body()
    return skd_status(SKD_OK)
  } catch let error as SKDError {
    recordError(error.message)
    switch error {
    case .invalidArgument: return skd_status(SKD_INVALID_ARGUMENT)
    case .nonFinite: return skd_status(SKD_NON_FINITE)
    case .outOfMemory: return skd_status(SKD_OUT_OF_MEMORY)
    case .callbackFailed: return skd_status(SKD_CALLBACK_FAILED)
    }
  } catch {
    recordError("\(error)")
    return skd_status(SKD_INVALID_ARGUMENT)
  }
}

@c @implementation
public func skd_last_error() -> UnsafePointer<CChar>! {
  if let message = pthread_getspecific(errorKey) {
    return UnsafePointer(message.assumingMemoryBound(to: CChar.self))
  }
  return emptyMessage
}

/// The last message of each thread, a C string of its own.
private let errorKey: pthread_key_t = {
  var key = pthread_key_t()
  pthread_key_create(&key) { free($0) }
  return key
}()

nonisolated(unsafe) private let emptyMessage = UnsafePointer<CChar>(strdup("")!)

private func recordError(_ message: String) {
  free(pthread_getspecific(errorKey))
  pthread_setspecific(errorKey, strdup(message))
}
