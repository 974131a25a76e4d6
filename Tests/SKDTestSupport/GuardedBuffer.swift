import Foundation

/// Floats that end (up to alignment) at an inaccessible page and start out NaN, as does what lies
/// around them.
///
/// A kernel that reads or writes beyond the end crashes the test; one that writes before the start,
/// or into the few floats that alignment leaves behind the end, is found by `isIntact`; one that
/// uses memory nobody wrote shows as NaN in its results.
public final class GuardedBuffer {
  /// The first float. Valid while the buffer is used later on: ask `isIntact` after the call.
  public let pointer: UnsafeMutablePointer<Float>
  public let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int

  /// - Parameter alignment: In bytes. 4 puts the guard right behind the last float; scratch and
  ///   packed weights need 64.
  public init(count: Int, alignment: Int = 4) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    let dataBytes = (count * 4 + alignment - 1) / alignment * alignment
    let pages = (dataBytes + page - 1) / page + 1  // a page in front, at the least
    mappedBytes = pages * page + page
    let mapping = mmap(
      nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapping, mapping != MAP_FAILED,
      mprotect(mapping + pages * page, page, PROT_NONE) == 0
    else { fatalError("cannot map \(mappedBytes) bytes") }
    memset(mapping, Self.untouched, pages * page)
    self.mapping = mapping
    self.count = count
    pointer = (mapping + (pages * page - dataBytes)).assumingMemoryBound(to: Float.self)
  }

  public convenience init(_ values: [Float], alignment: Int = 4) {
    self.init(count: values.count, alignment: alignment)
    values.withUnsafeBytes {
      if let source = $0.baseAddress { memcpy(pointer, source, $0.count) }
    }
  }

  deinit { munmap(mapping, mappedBytes) }

  /// Every byte 0xff: a NaN.
  private static let untouched: Int32 = 0xff

  public var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// Whether nothing was written outside of the `count` floats.
  public var isIntact: Bool {
    let start = UnsafeMutableRawPointer(pointer)
    let end = start + count * 4
    let accessibleEnd = mapping + mappedBytes - sysconf(Int32(_SC_PAGESIZE))
    return Self.isUntouched(mapping, start - mapping)
      && Self.isUntouched(end, accessibleEnd - end)
  }

  private static func isUntouched(_ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
    count == 0
      || bytes.load(as: UInt8.self) == UInt8(untouched) && memcmp(bytes, bytes + 1, count - 1) == 0
  }
}
