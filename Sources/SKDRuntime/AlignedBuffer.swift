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

  deinit { free(pointer) }

  /// Makes room for `count` elements; the content is lost (all zero) if the buffer has to grow.
  ///
  /// - Throws: `SKDError.outOfMemory`; the buffer is then unchanged.
  public func reserve(_ count: Int) throws {
    guard count > capacity else { return }
    let grown = try Self.allocate(count)
    free(pointer)
    pointer = grown
    capacity = count
  }

  private static func allocate(_ count: Int) throws -> UnsafeMutablePointer<Element> {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(
      by: MemoryLayout<Element>.stride)
    var raw: UnsafeMutableRawPointer?
    guard !overflow, bytes <= physicalMemory, posix_memalign(&raw, 64, bytes) == 0, let raw else {
      throw SKDError.outOfMemory(
        "a buffer of \(count) elements of \(MemoryLayout<Element>.stride) bytes does not fit "
          + "into memory (\(physicalMemory) bytes)")
    }
    memset(raw, 0, bytes)
    return raw.bindMemory(to: Element.self, capacity: max(count, 1))
  }
}

/// The machine's memory, in bytes.
let physicalMemory: Int = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
