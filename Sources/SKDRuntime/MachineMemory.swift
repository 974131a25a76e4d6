#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the machine, or the container the process runs in, can still give.
///
/// Linux promises more memory than it has, and kills the process that takes it at its word: so large
/// needs are held against this before anything is allocated.
public enum MachineMemory {
  /// The machine's memory, in bytes.
  public static let physicalBytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))

  /// Bytes that can be had without swapping, an estimate of the kernel's; where it gives none, all.
  public static func availableBytes() -> Int {
    let ofMachine = number(after: "MemAvailable:", in: "/proc/meminfo").map { $0 * 1024 }
    return min(ofMachine ?? physicalBytes, availableToContainer() ?? physicalBytes)
  }

  /// Needs below this are not worth the microseconds that asking takes.
  public static let largeNeed = 64 << 20

  /// Throws `SKDError.outOfMemory` unless `bytes` can be had.
  ///
  /// - Parameters:
  ///   - need: What they are for, as the subject of a sentence.
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

  /// What is left to the control group; its cached files give way.
  private static func availableToContainer() -> Int? {
    let (new, old) = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/memory")
    return availableToGroup(
      limit: "\(new).max", usage: "\(new).current", statistics: "\(new).stat",
      cached: "inactive_file ")
      ?? availableToGroup(
        limit: "\(old).limit_in_bytes", usage: "\(old).usage_in_bytes",
        statistics: "\(old).stat", cached: "total_inactive_file ")
  }

  private static func availableToGroup(
    limit: String, usage: String, statistics: String, cached: String
  ) -> Int? {
    guard let most = number(after: "", in: limit), let used = number(after: "", in: usage) else {
      return nil
    }
    return max(most - used + (number(after: cached, in: statistics) ?? 0), 0)
  }

  /// The number that follows `name` at the beginning of a line of a file.
  private static func number(after name: String, in path: String) -> Int? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while let read = fgets(&line, Int32(line.count), file) {
      let text = String(cString: read)
      guard text.hasPrefix(name) else { continue }
      let words = text.dropFirst(name.count).split { $0 == " " || $0 == "\n" || $0 == "\t" }
      if let first = words.first, let value = Int(first) { return value }
    }
    return nil
  }
}
