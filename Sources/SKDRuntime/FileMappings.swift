import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Files that are mapped into memory, and may become shorter while they are.
///
/// The system ends a process that reads beyond the new end (SIGBUS). In a watched mapping, zeros
/// stand there instead, and the mapping counts as damaged: whoever has read it asks, and reports an
/// error. The same holds for a disk that fails.
public enum FileMappings {
  /// More than these are not watched.
  private static let capacity = 1_024
  private static let table = Table(capacity: capacity)

  /// Watches the mapping that begins at `start`, until `unwatch`.
  public static func watch(_ start: UnsafeRawPointer, length: Int) {
    guard length > 0 else { return }
    installHandler()
    table.add(start: UInt(bitPattern: start), length: UInt(length))
  }

  /// To be called when the memory is mapped no more, or about to be.
  public static func unwatch(_ start: UnsafeRawPointer) {
    table.remove(start: UInt(bitPattern: start))
  }

  /// Whether zeros stand for a part of a watched mapping.
  public static func isDamaged(_ start: UnsafeRawPointer) -> Bool {
    table.isDamaged(start: UInt(bitPattern: start))
  }

  // MARK: Signal

  #if canImport(Glibc)
    /// The handler that was installed before. Written while the handler is not, and read by it.
    nonisolated(unsafe) private static let previous = UnsafeMutablePointer<sigaction>.allocate(
      capacity: 1)
    private static let page = UInt(sysconf(Int32(_SC_PAGESIZE)))

    /// Again at each mapping, for others install handlers too.
    private static func installHandler() {
      _ = (table, page)  // initialised here, not within the handler
      let handler:
        @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?)
          -> Void = { _, info, _ in FileMappings.handle(info) }
      var (action, current) = (sigaction(), sigaction())
      action.__sigaction_handler.sa_sigaction = handler
      action.sa_flags = SA_SIGINFO | SA_ONSTACK
      sigaction(SIGBUS, nil, &current)
      let installed = current.__sigaction_handler.sa_sigaction
      if unsafeBitCast(installed, to: UInt.self) == unsafeBitCast(handler, to: UInt.self) { return }
      previous.initialize(to: current)
      sigaction(SIGBUS, &action, nil)
    }

    /// Runs on the thread that has read. It may call nothing that allocates or locks.
    fileprivate static func handle(_ info: UnsafeMutablePointer<siginfo_t>?) {
      if let info, info.pointee.si_code > 0,
        let fault = info.pointee._sifields._sigfault.si_addr,
        let end = table.damage(at: UInt(bitPattern: fault))
      {
        let first = UInt(bitPattern: fault) / page * page
        let zeros = mmap(
          UnsafeMutableRawPointer(bitPattern: first), Int(end - first), PROT_READ,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
        if zeros != MAP_FAILED { return }
      }
      // Another's: the read is tried again, and its handler is called.
      sigaction(SIGBUS, previous, nil)
    }
  #else
    private static func installHandler() {}
  #endif
}

/// A table that a signal handler can read at any moment.
private final class Table: Sendable {
  private struct Entry: ~Copyable {
    let start = Atomic<UInt>(0)  // 0 if the entry is free
    let end = Atomic<UInt>(0)  // 0 until the entry is complete
    let isDamaged = Atomic<Bool>(false)
  }

  private nonisolated(unsafe) let entries: UnsafeMutablePointer<Entry>
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    entries = .allocate(capacity: capacity)
    for i in 0..<capacity { (entries + i).initialize(to: Entry()) }
  }

  func add(start: UInt, length: UInt) {
    for i in 0..<capacity {
      let (isTaken, _) = entries[i].start.compareExchange(
        expected: 0, desired: start, ordering: .relaxed)
      guard isTaken else { continue }
      entries[i].isDamaged.store(false, ordering: .relaxed)
      entries[i].end.store(start &+ length, ordering: .releasing)
      return
    }
  }

  func remove(start: UInt) {
    guard let i = index(of: start) else { return }
    entries[i].end.store(0, ordering: .relaxed)
    entries[i].start.store(0, ordering: .releasing)
  }

  func isDamaged(start: UInt) -> Bool {
    guard let i = index(of: start) else { return false }
    return entries[i].isDamaged.load(ordering: .acquiring)
  }

  /// Marks the mapping at an address as damaged, and returns its end; nil if nothing is watched
  /// there.
  func damage(at address: UInt) -> UInt? {
    for i in 0..<capacity {
      let end = entries[i].end.load(ordering: .acquiring)
      guard address < end, address >= entries[i].start.load(ordering: .relaxed) else { continue }
      entries[i].isDamaged.store(true, ordering: .releasing)
      return end
    }
    return nil
  }

  private func index(of start: UInt) -> Int? {
    (0..<capacity).first { entries[$0].start.load(ordering: .relaxed) == start }
  }
}
