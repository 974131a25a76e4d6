import CLibrary
import CSKD
import SKDNN
import SKDRuntime

/// The object behind a `skd_model *`: a network, and the lock that lets one call in at a time.
final class ModelHandle: @unchecked Sendable {
  let network: Network
  /// Names of the state entries as C strings, which live as long as the handle.
  let names: [UnsafePointer<CChar>]
  private let lock = ProcessLock()

  init(_ network: Network) {
    self.network = network
    names = network.store.entries.compactMap { entry in
      strdup(entry.name).map { UnsafePointer($0) }
    }
  }

  deinit {
    for name in names { free(UnsafeMutablePointer(mutating: name)) }
  }

  /// Runs `body` while no other call uses the network.
  ///
  /// - Throws: `SKDError.invalidArgument` in the child of a fork if another thread was at work on
  ///   the network then: it is half changed; and if this thread is at work on it already, or the
  ///   thread that is waits for this one.
  func exclusively<Result>(_ body: (Network) throws -> Result) throws -> Result {
    try acquire(for: .use)
    defer { ModelLocks.shared.release(lock, of: address, for: .use) }
    return try body(network)
  }

  /// Keeps the network for this thread until `letGo`, so that the calls in between, and reads of
  /// its memory, see one state. A function that a training step calls may keep the step's own.
  ///
  /// - Throws: As `exclusively`.
  func keep() throws { try acquire(for: .keep) }

  func letGo() { ModelLocks.shared.release(lock, of: address, for: .keep) }

  private func acquire(for purpose: ModelLocks.Purpose) throws {
    switch ModelLocks.shared.acquire(lock, of: address, for: purpose) {
    case .acquired:
      break
    case .isLost:
      throw SKDError.invalidArgument(
        InvalidArgument(
          "model", of: "ModelHandle",
          "not be one that another thread used while this process was forked; load or create "
            + "another"))
    case .wouldWaitForItself:
      throw SKDError.invalidArgument(
        InvalidArgument(
          "model", of: "ModelHandle",
          "not be one that the training step around this call uses, or one whose own step waits "
            + "for this one; clone it before the training"))
    }
  }

  /// Whether no thread of this process can use the network, or take it apart: see `exclusively`.
  var isLost: Bool { lock.isLost }

  /// Orders handles: a call that needs two locks takes the one with the lower address first.
  var address: UInt { UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

  /// A pointer for C, which owns one reference.
  func retainedPointer() -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(self).toOpaque())
  }

  static func from(_ pointer: OpaquePointer) -> ModelHandle {
    Unmanaged<ModelHandle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }
}
