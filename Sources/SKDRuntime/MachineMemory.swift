import CLibrary

/// Memory that the machine, or the container of this process, has left.
///
/// Linux promises more memory than it has, and kills the process that takes it at its word: so large
/// needs are held against this before anything is allocated.
public enum MachineMemory {
  /// The machine's memory, in bytes.
  public static let physicalBytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))

  /// Bytes that can be had without swapping, an estimate of the kernel's; where it gives none, all.
  public static func availableBytes() -> Int {
    let ofMachine = SystemFile.number(after: "MemAvailable:", in: "/proc/meminfo")
    let limits = [
      ofMachine.map { $0 * 1024 }, available(to: ControlGroups()), availableAddresses(),
    ]
    return limits.compactMap { $0 }.reduce(physicalBytes, min)
  }

  /// Needs below this are not worth the microseconds that asking takes.
  public static let largeNeed = 64 << 20

  /// Throws `SKDError.outOfMemory` unless `bytes` can be had.
  ///
  /// - Parameters:
  ///   - need: Purpose of the bytes, as the subject of a sentence.
  ///   - reusable: Bytes among them that the process holds already.
  public static func require(_ bytes: Int, for need: String, reusable: Int = 0) throws {
    let available = availableBytes()
    if bytes - reusable > available {
      throw SKDError.outOfMemory(
        "\(need) does not fit into memory: it needs about \(bytes) bytes, and "
          + "\(available + reusable) are available")
    }
  }

  /// Throws `SKDError.outOfMemory` unless buffers of so many floats can be had together. Memory is
  /// taken when it is written to: one after the other, each might seem to fit.
  public static func require(floats counts: [Int], for need: String) throws {
    let bytes = 4 * counts.reduce(0, +)
    if bytes >= largeNeed { try require(bytes, for: need) }
  }

  /// Memory that is left to the control groups around this process, the least of them; the files that they
  /// cache give way. Nil without a limit.
  static func available(to groups: ControlGroups) -> Int? {
    groups.groups(of: "memory").compactMap { available(to: $0) }.min()
  }

  private static func available(to group: ControlGroups.Group) -> Int? {
    func number(_ file: String, after name: String = "") -> Int? {
      SystemFile.number(after: name, in: "\(group.folder)/memory.\(file)")
    }
    let limits =
      group.isUnified ? [number("max"), number("high")] : [number("limit_in_bytes")]
    let used = number(group.isUnified ? "current" : "usage_in_bytes")
    guard let most = limits.compactMap({ $0 }).min(), let used else { return nil }
    let cached = number("stat", after: group.isUnified ? "inactive_file " : "total_inactive_file ")
    return max(most - used + (cached ?? 0), 0)
  }

  /// Bytes of address space that `ulimit -v` leaves; nil without a limit.
  private static func availableAddresses() -> Int? {
    #if os(Linux)
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
        let most = Int(exactly: limit.rlim_cur),
        let pages = SystemFile.number(in: "/proc/self/statm")
      else { return nil }
      return max(most - pages * sysconf(Int32(_SC_PAGESIZE)), 0)
    #else
      return nil
    #endif
  }
}
