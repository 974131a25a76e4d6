import CLibrary
import Synchronization

/// A lock that knows which process holds it.
///
/// The child of a fork has a copy of all memory, but only the thread that forked: a mutex that
/// another thread held at that moment is never released in the child. This lock can be told to
/// be lost there, because it holds the number of its holder's process.
public final class ProcessLock: Sendable {
  public enum Outcome: Sendable {
    case acquired
    /// A thread of this process holds it.
    case isHeld
    /// The lock is held by a thread that this process, the child of a fork, does not have.
    case isLost
  }

  /// Process of the holder; 0 if there is none.
  private let holder = Atomic<pid_t>(0)

  public init() {}

  /// Takes the lock if nobody holds it.
  public func tryToLock() -> Outcome {
    let process = getpid()
    let (isTaken, found) = holder.compareExchange(
      expected: 0, desired: process, ordering: .acquiringAndReleasing)
    if isTaken { return .acquired }
    return found == process ? .isHeld : .isLost
  }

  /// Takes the lock if nobody holds it, or if it is lost: for state that the caller can create
  /// again.
  public func tryToSeize() -> Bool {
    let process = getpid()
    let found = holder.load(ordering: .relaxed)
    return found != process
      && holder.compareExchange(
        expected: found, desired: process, ordering: .acquiringAndReleasing
      ).exchanged
  }

  public var isLost: Bool {
    let found = holder.load(ordering: .relaxed)
    return found != 0 && found != getpid()
  }

  public func unlock() { holder.store(0, ordering: .releasing) }
}
