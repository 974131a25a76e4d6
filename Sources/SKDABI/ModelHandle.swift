import CSKD
import SKDNN
import SKDRuntime

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a `skd_model *` points to: a network, and the lock that lets one call in at a time.
final class ModelHandle: @unchecked Sendable {
  let network: Network
  /// Names of the state entries as C strings, which live as long as the handle.
  let names: [UnsafePointer<CChar>]
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init(_ network: Network) {
    self.network = network
    pthread_mutex_init(lock, nil)
    names = network.store.entries.compactMap { entry in
      strdup(entry.name).map { UnsafePointer($0) }
    }
  }

  deinit {
    for name in names { free(UnsafeMutablePointer(mutating: name)) }
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  /// Runs `body` while no other call uses the network.
  func exclusively<Result>(_ body: (Network) throws -> Result) throws -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return try body(network)
  }

  /// Orders handles: whoever needs two locks takes that of the lower address first.
  var address: UInt { UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

  /// A pointer for C, which owns one reference.
  func retainedPointer() -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(self).toOpaque())
  }

  static func from(_ pointer: OpaquePointer) -> ModelHandle {
    Unmanaged<ModelHandle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }
}
