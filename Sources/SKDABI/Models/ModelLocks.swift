import CLibrary
import SKDRuntime

/// The models that threads hold, and the models that they wait for.
///
/// A thread has a model while a call of its own works on it, and while it keeps it between calls.
/// Threads get a model in the order in which they ask for it.
///
/// A thread that has a model can ask for another: a trainer of two models does, and the function of
/// a loss term may. Then threads can come to wait for each other in a circle, or one for itself.
/// Whoever would close such a circle is told so instead.
final class ModelLocks: @unchecked Sendable {
  static let shared = ModelLocks()

  enum Purpose {
    /// To change the model, or the state of its passes. Not twice at a time, also not by the same
    /// thread: the function of a loss term must not use the model of its step.
    case use
    /// To have nothing but this thread change it, for calls that follow or to read its memory.
    case keep
  }

  enum Outcome {
    case acquired
    /// See `ProcessLock.Outcome`.
    case isLost
    /// To wait would be a deadlock.
    case wouldWaitForItself
  }

  private struct Holder {
    let thread: UInt
    var isUsing = false
    var keeps = 0
  }

  private struct Wait {
    let model: UInt
    let number: Int
  }

  private final class Table {
    let process = getpid()
    var holders: [UInt: Holder] = [:]  // of each model that a thread has
    var waits: [UInt: Wait] = [:]  // of each thread that waits
    var nextNumber = 0
  }

  /// Held for the few lookups below.
  private let access = ProcessLock()
  private var table = Table()

  /// Takes the model at an address, waiting if need be.
  func acquire(_ lock: ProcessLock, of model: UInt, for purpose: Purpose) -> Outcome {
    let thread = currentThread
    var pause: UInt32 = 10  // microseconds
    while true {
      let outcome = withTable { tryToAcquire(lock, of: model, for: purpose, thread, $0) }
      if let outcome { return outcome }
      usleep(pause)
      pause = min(2 * pause, 1_000)
    }
  }

  /// Nil if the thread has to wait.
  private func tryToAcquire(
    _ lock: ProcessLock, of model: UInt, for purpose: Purpose, _ thread: UInt, _ table: Table
  ) -> Outcome? {
    var holder = table.holders[model] ?? Holder(thread: thread)
    if holder.thread != thread || isOvertaking(thread, model, table) {
      if isWaiting(for: thread, holderOf: model, table) { return .wouldWaitForItself }
      if table.waits[thread] == nil {
        table.waits[thread] = Wait(model: model, number: table.nextNumber)
        table.nextNumber += 1
      }
      return nil
    }
    table.waits[thread] = nil
    switch purpose {
    case .use:
      if holder.isUsing { return .wouldWaitForItself }
      if lock.tryToLock() != .acquired { return .isLost }
      holder.isUsing = true
    case .keep:
      if lock.isLost { return .isLost }
      holder.keeps += 1
    }
    table.holders[model] = holder
    return .acquired
  }

  /// Whether another thread has waited longer for a model that nobody has.
  private func isOvertaking(_ thread: UInt, _ model: UInt, _ table: Table) -> Bool {
    if table.holders[model] != nil { return false }
    let own = table.waits[thread]?.number ?? .max
    return table.waits.values.contains { $0.model == model && $0.number < own }
  }

  /// Whether the holder of a model waits for one that the thread has, by way of others or not.
  private func isWaiting(for thread: UInt, holderOf model: UInt, _ table: Table) -> Bool {
    var next: UInt? = model
    while let model = next, let holder = table.holders[model] {
      if holder.thread == thread { return true }
      next = table.waits[holder.thread]?.model
    }
    return false
  }

  /// Returns a lock that `acquire` took.
  func release(_ lock: ProcessLock, of model: UInt, for purpose: Purpose) {
    withTable { table in
      if purpose == .use { lock.unlock() }
      // In the child of a fork nobody has a model any longer.
      guard var holder = table.holders[model], holder.thread == currentThread else { return }
      switch purpose {
      case .use: holder.isUsing = false
      case .keep: holder.keeps = max(holder.keeps - 1, 0)
      }
      table.holders[model] = holder.isUsing || holder.keeps > 0 ? holder : nil
    }
  }

  /// Runs `body` while no other thread uses the table.
  private func withTable<Result>(_ body: (Table) -> Result) -> Result {
    while !access.tryToSeize() { sched_yield() }
    defer { access.unlock() }
    if table.process != getpid() {
      // Another thread of the parent may have been changing the old one, so it must never be freed.
      _ = Unmanaged.passRetained(table)
      table = Table()
    }
    return body(table)
  }

  private var currentThread: UInt {
    UInt(pthread_self())
  }
}
