import CLibrary

/// Number of processors that this process may use.
public enum Processors {
  /// Number of processors that the affinity and the control groups allow, at least 1.
  public static func available() -> Int { available(root: "") }

  /// - Parameter root: Root of the file system; another folder than "/" in tests.
  static func available(root: String) -> Int {
    let allowed = inAffinity(root: root) ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
    return max(min(allowed, inQuota(ControlGroups(root: root)) ?? allowed), 1)
  }

  /// Processors that the scheduler may put this thread on: fewer than there are under `taskset`, a
  /// batch system or a container's `cpuset`. Nil where the kernel does not tell.
  private static func inAffinity(root: String) -> Int? {
    // "Cpus_allowed_list:  0-3,8"
    let name = "Cpus_allowed_list:"
    let status = SystemFile.text("\(root)/proc/thread-self/status") ?? ""
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else {
      return nil
    }
    let list = line.dropFirst(name.count).drop { $0.isWhitespace }
    let counts = list.split(separator: ",").map { range -> Int in
      let ends = range.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last else { return 0 }
      return last - first + 1
    }
    return counts.reduce(0, +)
  }

  /// The processor time that the groups grant, in processors, rounded up; nil without a limit.
  static func inQuota(_ groups: ControlGroups) -> Int? {
    groups.groups(of: "cpu").compactMap { quota(of: $0) }.min()
  }

  private static func quota(of group: ControlGroups.Group) -> Int? {
    let time: Int?
    let period: Int?
    if group.isUnified {  // "max 100000" or "150000 100000"
      let words = (SystemFile.text("\(group.folder)/cpu.max") ?? "").split { $0.isWhitespace }
      guard words.count == 2 else { return nil }
      (time, period) = (Int(words[0]), Int(words[1]))
    } else {  // -1 without a limit
      time = SystemFile.number(in: "\(group.folder)/cpu.cfs_quota_us")
      period = SystemFile.number(in: "\(group.folder)/cpu.cfs_period_us")
    }
    guard let time, let period, time > 0, period > 0 else { return nil }
    return (time - 1) / period + 1
  }
}
