import SKDRuntime

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Who holds which model, and who waits for which.
///
/// A thread that holds a model can ask for another: a trainer of two models does, and the function
/// of a loss term may. Then threads can come to wait for each other in a circle, or one for itself.
/// Whoever would close such a circle is told so instead.
final class ModelLocks: @unchecked Sendable {
  static let shared = ModelLocks()

  enum Outcome {
    case acquired
    /// See `ProcessLock.Outcome`.
    case isLost
    /// To wait would be to wait for ever.
    case wouldWaitForItself
  }

  /// Held for the few lookups below. What it protects is made anew in the child of a fork.
  private let access = ProcessLock()
  private var holders: [UInt: UInt] = [:]  // thread of each model that is held
  private var wanted: [UInt: UInt] = [:]  // model for which each thread waits

  /// Takes the lock of the model at an address, waiting if need be.
  func acquire(_ lock: ProcessLock, of model: UInt) -> Outcome {
    let thread = currentThread
    var pause: UInt32 = 10  // microseconds
    while true {
      if let outcome = access.withSeized({ tryToAcquire(lock, model, thread) }) { return outcome }
      usleep(pause)
      pause = min(2 * pause, 1_000)
    }
  }

  /// Nil if the thread has to wait.
  private func tryToAcquire(_ lock: ProcessLock, _ model: UInt, _ thread: UInt) -> Outcome? {
    wanted[thread] = nil
    switch lock.tryToLock() {
    case .acquired:
      holders[model] = thread
      return .acquired
    case .isLost:
      return .isLost
    case .isHeld:
      if isWaiting(for: thread, holderOf: model) { return .wouldWaitForItself }
      wanted[thread] = model
      return nil
    }
  }

  /// Whether the holder of a model is the thread, or waits for it, by way of others or not.
  private func isWaiting(for thread: UInt, holderOf model: UInt) -> Bool {
    var next: UInt? = model
    while let model = next, let holder = holders[model] {
      if holder == thread { return true }
      next = wanted[holder]
    }
    return false
  }

  func release(_ lock: ProcessLock, of model: UInt) {
    access.withSeized {
      holders[model] = nil
      lock.unlock()
    }
  }

  private var currentThread: UInt {
    UInt(pthread_self())
  }
}

extension ProcessLock {
  /// Runs `body` with the lock, which is waited for, and taken over if it is lost.
  fileprivate func withSeized<Result>(_ body: () -> Result) -> Result {
    while !tryToSeize() { sched_yield() }
    defer { unlock() }
    return body()
  }
}
