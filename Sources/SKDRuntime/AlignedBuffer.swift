import CLibrary
import Synchronization

/// Memory for trivial elements, aligned to 64 bytes (a cache line, and an AVX-512 vector).
///
/// The address is stable while the buffer lives and is not grown, so Python can hold views of it.
/// Access is unchecked.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  /// The first element. Valid until `reserve` grows the buffer or the buffer is released.
  public private(set) var pointer: UnsafeMutablePointer<Element>
  /// Number of elements that fit.
  public private(set) var capacity: Int
  private let ledger: MemoryLedger?

  /// Allocates `count` elements, all bytes zero.
  ///
  /// - Parameter ledger: Ledger in which the buffer is entered instead of being allocated; nothing may be read
  ///   from it or written to it then.
  /// - Throws: `SKDError.outOfMemory` if the machine does not have that much memory.
  public init(count: Int, ledger: MemoryLedger? = nil) throws {
    self.ledger = ledger
    pointer = try Self.allocate(count, ledger)
    capacity = count
  }

  deinit { Self.deallocate(pointer, capacity, ledger) }

  /// Makes room for `count` elements; the content is lost (all zero) if the buffer has to grow.
  ///
  /// - Throws: `SKDError.outOfMemory`; the buffer is then unchanged.
  public func reserve(_ count: Int) throws {
    guard count > capacity else { return }
    let grown = try Self.allocate(count, ledger)
    Self.deallocate(pointer, capacity, ledger)
    pointer = grown
    capacity = count
  }

  private static func allocate(_ count: Int, _ ledger: MemoryLedger?) throws
    -> UnsafeMutablePointer<Element>
  {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(
      by: MemoryLayout<Element>.stride)
    if let ledger, !overflow {
      return try ledger.enter(bytes).assumingMemoryBound(to: Element.self)
    }
    let held = allocatedBytes.load(ordering: .relaxed)
    let isPossible = !overflow && bytes <= MachineMemory.physicalBytes - held
    if isPossible && bytes >= MachineMemory.largeNeed {
      try MachineMemory.require(bytes, for: "a buffer of \(count) elements")
    }
    guard isPossible, let raw = zeroedMemory(bytes) else {
      throw SKDError.outOfMemory(
        "a buffer of \(count) elements of \(MemoryLayout<Element>.stride) bytes does not fit into "
          + "memory (\(MachineMemory.physicalBytes) bytes, of which buffers hold \(held))")
    }
    allocatedBytes.add(bytes, ordering: .relaxed)
    allocations.add(1, ordering: .relaxed)
    return raw.bindMemory(to: Element.self, capacity: max(count, 1))
  }

  private static func deallocate(
    _ pointer: UnsafeMutablePointer<Element>, _ count: Int, _ ledger: MemoryLedger?
  ) {
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    if let ledger { return ledger.remove(bytes) }
    allocatedBytes.subtract(bytes, ordering: .relaxed)
    release(pointer, bytes)
  }
}

/// Number of buffers that this process has allocated so far. A test reads it: steps that repeat the same
/// extents allocate none.
public var allocatedBufferCount: Int { allocations.load(ordering: .relaxed) }
private let allocations = Atomic<Int>(0)

/// Bytes that the buffers of this process hold.
public var liveBufferBytes: Int { allocatedBytes.load(ordering: .relaxed) }

/// From this size on, a buffer gets memory of its own in pages of this size: kernels that write to 36
/// planes at once would otherwise wait for addresses to be translated (10 to 20 % of a training
/// step). Memory that `malloc` hands out again keeps its small pages.
private let hugePage = 2 << 20

private func zeroedMemory(_ bytes: Int) -> UnsafeMutableRawPointer? {
  #if os(Linux)
    if bytes >= hugePage { return hugePages(bytes) }
  #endif
  var memory: UnsafeMutableRawPointer?
  guard posix_memalign(&memory, 64, bytes) == 0, let memory else { return nil }
  memset(memory, 0, bytes)
  return memory
}

private func release(_ memory: UnsafeMutableRawPointer, _ bytes: Int) {
  #if os(Linux)
    if bytes >= hugePage {
      munmap(memory, wholePages(bytes))
      return
    }
  #endif
  free(memory)
}

/// Whether the process can have so many addresses more.
func canMap(_ bytes: Int) -> Bool {
  #if os(Linux)
    let mapped = mmap(nil, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return false }
    munmap(mapped, bytes)
  #endif
  return true
}

#if os(Linux)
  private func wholePages(_ bytes: Int) -> Int {
    let page = sysconf(Int32(_SC_PAGESIZE))
    return (bytes + page - 1) / page * page
  }

  /// Maps zeroed memory aligned to huge pages, and asks for such pages where the kernel has them.
  private func hugePages(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let length = wholePages(bytes)
    let mapped = mmap(
      nil, length + hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return nil }
    let before = -Int(bitPattern: mapped) & (hugePage - 1)
    let memory = mapped + before
    if before > 0 { munmap(mapped, before) }
    if before < hugePage { munmap(memory + length, hugePage - before) }
    _ = madvise(memory, length, 14)  // MADV_HUGEPAGE
    return memory
  }
#endif

/// Bytes of all buffers of the process.
private let allocatedBytes = Atomic<Int>(0)
