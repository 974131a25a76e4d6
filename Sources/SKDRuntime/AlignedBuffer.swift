import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory for trivial elements, aligned to 64 bytes (a cache line, and an AVX-512 vector).
///
/// The address is stable while the buffer lives and is not grown; that is what lets Python hold
/// views of it. Access is unchecked.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  /// The first element. Valid until `reserve` grows the buffer or the buffer is released.
  public private(set) var pointer: UnsafeMutablePointer<Element>
  /// How many elements fit.
  public private(set) var capacity: Int

  /// Allocates `count` elements, all bytes zero.
  ///
  /// - Throws: `SKDError.outOfMemory` if the machine does not have that much memory.
  public init(count: Int) throws {
    pointer = try Self.allocate(count)
    capacity = count
  }

  deinit { Self.deallocate(pointer, capacity) }

  /// Makes room for `count` elements; the content is lost (all zero) if the buffer has to grow.
  ///
  /// - Throws: `SKDError.outOfMemory`; the buffer is then unchanged.
  public func reserve(_ count: Int) throws {
    guard count > capacity else { return }
    let grown = try Self.allocate(count)
    Self.deallocate(pointer, capacity)
    pointer = grown
    capacity = count
  }

  private static func allocate(_ count: Int) throws -> UnsafeMutablePointer<Element> {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(
      by: MemoryLayout<Element>.stride)
    var raw: UnsafeMutableRawPointer?
    let held = allocatedBytes.load(ordering: .relaxed)
    let alignment = bytes < hugePage ? 64 : hugePage
    guard !overflow, bytes <= physicalMemory - held,
      posix_memalign(&raw, alignment, bytes) == 0, let raw
    else {
      throw SKDError.outOfMemory(
        "a buffer of \(count) elements of \(MemoryLayout<Element>.stride) bytes does not fit "
          + "into memory (\(physicalMemory) bytes, of which buffers hold \(held))")
    }
    allocatedBytes.add(bytes, ordering: .relaxed)
    if bytes >= hugePage { preferHugePages(raw, bytes) }
    memset(raw, 0, bytes)
    return raw.bindMemory(to: Element.self, capacity: max(count, 1))
  }

  private static func deallocate(_ pointer: UnsafeMutablePointer<Element>, _ count: Int) {
    allocatedBytes.subtract(max(count, 1) * MemoryLayout<Element>.stride, ordering: .relaxed)
    free(pointer)
  }
}

/// From this size on, a buffer asks for pages of this size: kernels that write to 36 planes at once
/// would otherwise wait for addresses to be translated (10 % of a training step).
private let hugePage = 2 << 20

private func preferHugePages(_ memory: UnsafeMutableRawPointer, _ bytes: Int) {
  #if os(Linux)
    _ = madvise(memory, bytes, 14)  // MADV_HUGEPAGE; refused where the kernel has none
  #endif
}

/// What all buffers of the process hold. Linux promises more memory than it has, and kills the
/// process that takes it at its word.
private let allocatedBytes = Atomic<Int>(0)

/// The machine's memory, in bytes.
private let physicalMemory: Int = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
