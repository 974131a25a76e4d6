/// The control groups that limit this process: its own and all that contain it.
///
/// A container, a batch system or systemd puts processes into them. Both versions are read. Version 1
/// has one hierarchy per controller, version 2 has one for all; a machine may have both.
struct ControlGroups {
  /// A group of one controller.
  struct Group: Equatable {
    let folder: String
    /// Whether the files belong to version 2.
    let isUnified: Bool
  }

  /// Root of the file system; another folder than "/" in tests.
  private let root: String
  private let memberships: String
  private let mounts: [Mount]

  init(root: String = "") {
    self.root = root
    memberships = SystemFile.text("\(root)/proc/self/cgroup") ?? ""
    let lines = (SystemFile.text("\(root)/proc/self/mountinfo") ?? "").split(separator: "\n")
    mounts = lines.compactMap { Mount($0) }
  }

  /// The groups of a controller, this process's own first, each followed by the one around it.
  func groups(of controller: String) -> [Group] {
    guard let (path, isUnified) = membership(in: controller) else { return [] }
    let mount = mounts.last { mount in
      mount.isUnified == isUnified
        && (isUnified || mount.controllers.contains(Substring(controller)))
    }
    guard let mount else { return [] }
    // Within a container, the mount may begin at its group, and the path at the machine's root.
    var below: [Substring] = []
    if mount.root == "/" {
      below = path.split(separator: "/")
    } else if path.hasPrefix(mount.root + "/") {
      below = path.dropFirst(mount.root.count).split(separator: "/")
    }
    return (0...below.count).reversed().map { depth in
      let folder = ([root + mount.folder] + below[..<depth].map(String.init))
      return Group(folder: folder.joined(separator: "/"), isUnified: isUnified)
    }
  }

  /// Path of this process's group: in version 1 if the controller is there, else in version 2.
  private func membership(in controller: String) -> (path: String, isUnified: Bool)? {
    var unified: String?
    for line in memberships.split(separator: "\n") {  // number:controllers:path
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[1].split(separator: ",").contains(Substring(controller)) {
        return (String(fields[2]), false)
      }
      if fields[1].isEmpty { unified = String(fields[2]) }
    }
    return unified.map { ($0, true) }
  }

  /// A line of `/proc/self/mountinfo` that mounts control groups.
  private struct Mount {
    let root: String
    let folder: String
    let isUnified: Bool
    let controllers: [Substring]

    init?(_ line: Substring) {
      let words = line.split(separator: " ")
      guard let dash = words.firstIndex(of: "-"), dash >= 5, words.count > dash + 3 else {
        return nil
      }
      let kind = words[dash + 1]
      guard kind == "cgroup" || kind == "cgroup2" else { return nil }
      (root, folder) = (String(words[3]), String(words[4]))
      isUnified = kind == "cgroup2"
      controllers = words[dash + 3].split(separator: ",")
    }
  }
}
