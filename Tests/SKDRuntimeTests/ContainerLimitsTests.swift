import Foundation
import XCTest

@testable import SKDRuntime

/// What the files of a container say, in a folder that stands for the root of its file system.
final class ContainerLimitsTests: XCTestCase {
  private var root = ""

  override func setUp() {
    root = NSTemporaryDirectory() + UUID().uuidString
    write("Name:\tpython\nCpus_allowed_list:\t0-5,8\n", to: "proc/thread-self/status")
  }

  override func tearDown() { try? FileManager.default.removeItem(atPath: root) }

  func testProcessorsAreThoseOfTheAffinity() {
    XCTAssertEqual(Processors.available(root: root), 7)
    write("Cpus_allowed_list:\t3\n", to: "proc/thread-self/status")
    XCTAssertEqual(Processors.available(root: root), 1)
  }

  func testProcessorTimeOfVersion2IsRoundedUp() {
    useVersion2(group: "/")
    for (quota, processors) in [
      ("max 100000", 7), ("250000 100000", 3), ("50000 100000", 1), ("900000 100000", 7), ("", 7),
    ] {
      write(quota + "\n", to: "sys/fs/cgroup/cpu.max")
      XCTAssertEqual(Processors.available(root: root), processors, quota)
    }
  }

  func testProcessorTimeOfVersion1IsRoundedUp() {
    useVersion1(mountRoot: "/", group: "/")
    write("100000\n", to: "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us")
    for (quota, processors) in [("-1", 7), ("150000", 2), ("100000", 1), ("1000", 1)] {
      write(quota + "\n", to: "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us")
      XCTAssertEqual(Processors.available(root: root), processors, quota)
    }
  }

  func testMemoryIsTheLeastOfAllGroupsOfVersion2() {
    useVersion2(group: "/batch/job")
    XCTAssertNil(MachineMemory.available(to: ControlGroups(root: root)))
    limit("sys/fs/cgroup/batch", "max 900", "current 500", "stat anon 1\ninactive_file 100\n")
    XCTAssertEqual(MachineMemory.available(to: ControlGroups(root: root)), 500)
    limit("sys/fs/cgroup/batch/job", "max 700", "current 400", "stat inactive_file 0\n")
    XCTAssertEqual(MachineMemory.available(to: ControlGroups(root: root)), 300)
    limit("sys/fs/cgroup/batch/job", "high 550", "max max")
    XCTAssertEqual(MachineMemory.available(to: ControlGroups(root: root)), 150)
    limit("sys/fs/cgroup/batch/job", "current 800")
    XCTAssertEqual(MachineMemory.available(to: ControlGroups(root: root)), 0)
  }

  func testMemoryIsTheLeastOfAllGroupsOfVersion1() {
    useVersion1(mountRoot: "/", group: "/job")
    let unlimited = "limit_in_bytes 9223372036854771712"
    limit("sys/fs/cgroup/memory", unlimited, "usage_in_bytes 900")
    limit(
      "sys/fs/cgroup/memory/job", "limit_in_bytes 800", "usage_in_bytes 500",
      "stat inactive_file 7\ntotal_inactive_file 50\n")
    XCTAssertEqual(MachineMemory.available(to: ControlGroups(root: root)), 350)
  }

  func testAContainersOwnGroupIsMountedAsTheUppermost() {
    useVersion1(mountRoot: "/docker/abc", group: "/docker/abc")
    limit("sys/fs/cgroup/memory", "limit_in_bytes 600", "usage_in_bytes 200")
    XCTAssertEqual(MachineMemory.available(to: ControlGroups(root: root)), 400)
    useVersion1(mountRoot: "/docker/abc", group: "/docker/abc/inner")
    limit("sys/fs/cgroup/memory/inner", "limit_in_bytes 300", "usage_in_bytes 200")
    XCTAssertEqual(MachineMemory.available(to: ControlGroups(root: root)), 100)
  }

  func testWithoutControlGroupsThereIsNoLimit() {
    XCTAssertEqual(ControlGroups(root: root).groups(of: "memory"), [])
    write("12:memory:/job\nnot a line\n0::/\n", to: "proc/self/cgroup")
    write("22 1 0:21 / /proc rw - proc proc rw\nnot a line\n", to: "proc/self/mountinfo")
    XCTAssertEqual(ControlGroups(root: root).groups(of: "memory"), [])
    XCTAssertNil(MachineMemory.available(to: ControlGroups(root: root)))
  }

  // MARK: Files

  private func useVersion2(group: String) {
    write("0::\(group)\n", to: "proc/self/cgroup")
    write(
      "31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup rw,nsdelegate\n",
      to: "proc/self/mountinfo")
  }

  /// As on a machine that mounts version 2 too, without controllers.
  private func useVersion1(mountRoot: String, group: String) {
    write("3:cpu,cpuacct:\(group)\n2:memory:\(group)\n0::/\n", to: "proc/self/cgroup")
    let lines = ["memory", "cpu,cpuacct"].map {
      "31 23 0:26 \(mountRoot) /sys/fs/cgroup/\($0) rw,nosuid - cgroup cgroup rw,\($0)\n"
    }
    let unified = "30 23 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    write(lines.joined() + unified, to: "proc/self/mountinfo")
  }

  /// Writes the files "memory.NAME" of a group, each given as its name and its text.
  private func limit(_ folder: String, _ files: String...) {
    for file in files {
      let parts = file.split(separator: " ", maxSplits: 1)
      write("\(parts[1])\n", to: "\(folder)/memory.\(parts[0])")
    }
  }

  private func write(_ text: String, to path: String) {
    let file = URL(fileURLWithPath: "\(root)/\(path)")
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    } catch {
      XCTFail("\(error)")
    }
  }
}
