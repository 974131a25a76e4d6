/// Sum of the memory of buffers that are entered here instead of being allocated.
///
/// A network on a ledger runs its passes as any other, but computes nothing: the same code asks for
/// the same memory in the same order, and the ledger knows the most that was held at once. So an
/// estimate cannot drift from the code that it is about.
///
/// Not thread-safe.
public final class MemoryLedger {
  public private(set) var heldBytes = 0
  /// The most that was held at once.
  public private(set) var peakBytes = 0

  public init() {}

  /// - Throws: `SKDError.outOfMemory` where the sum would leave the range of addresses.
  func enter(_ bytes: Int) throws -> UnsafeMutableRawPointer {
    let (sum, overflow) = heldBytes.addingReportingOverflow(bytes)
    // An address that is aligned, never nil, and nobody's.
    guard !overflow, let nowhere = UnsafeMutableRawPointer(bitPattern: 64) else {
      throw SKDError.outOfMemory("buffers of \(bytes) and \(heldBytes) bytes fit into no memory")
    }
    heldBytes = sum
    peakBytes = max(peakBytes, sum)
    return nowhere
  }

  func remove(_ bytes: Int) { heldBytes -= bytes }
}
