import Foundation
import SKDRuntime
import XCTest

/// Files that become shorter while they are mapped.
final class FileMappingsTests: XCTestCase {
  private let page = Int(sysconf(Int32(_SC_PAGESIZE)))
  private var path = ""

  override func setUp() { path = NSTemporaryDirectory() + UUID().uuidString }

  override func tearDown() { unlink(path) }

  /// Maps a file of four pages of ones, and watches it if so wanted.
  private func withMappedFile(_ body: (UnsafeMutableRawPointer) throws -> Void) throws {
    try Data(repeating: 1, count: 4 * page).write(to: URL(fileURLWithPath: path))
    let file = open(path, O_RDONLY)
    let memory = try XCTUnwrap(mmap(nil, 4 * page, PROT_READ, MAP_PRIVATE, file, 0))
    XCTAssertNotEqual(memory, MAP_FAILED)
    close(file)
    defer { munmap(memory, 4 * page) }
    try body(memory)
  }

  private func bytes(_ memory: UnsafeRawPointer) -> [UInt8] {
    (0..<4).map { memory.load(fromByteOffset: $0 * page + 7, as: UInt8.self) }
  }

  func testWhatLiesBeyondTheNewEndIsZeroAndToldOf() throws {
    for pages in 0..<4 {
      try withMappedFile { memory in
        FileMappings.watch(memory, length: 4 * page)
        defer { FileMappings.unwatch(memory) }
        XCTAssertEqual(bytes(memory), [1, 1, 1, 1])
        XCTAssertFalse(FileMappings.isDamaged(memory))
        truncate(path, pages * page)
        XCTAssertFalse(FileMappings.isDamaged(memory))
        XCTAssertEqual(bytes(memory), (0..<4).map { $0 < pages ? 1 : 0 })
        XCTAssertTrue(FileMappings.isDamaged(memory))
        XCTAssertEqual(bytes(memory), (0..<4).map { $0 < pages ? 1 : 0 })
      }
    }
  }

  func testManyThreadsMayReadIt() throws {
    try withMappedFile { memory in
      FileMappings.watch(memory, length: 4 * page)
      defer { FileMappings.unwatch(memory) }
      truncate(path, page)
      nonisolated(unsafe) let shared = memory
      let page = page
      WorkerPool.shared.forEach(64) { item, _ in
        let byte = shared.load(fromByteOffset: item % 4 * page, as: UInt8.self)
        XCTAssertEqual(byte, item % 4 == 0 ? 1 : 0)
      }
      XCTAssertTrue(FileMappings.isDamaged(memory))
    }
  }

  func testADamageEndsWithTheWatch() throws {
    try withMappedFile { memory in
      FileMappings.watch(memory, length: 4 * page)
      truncate(path, 0)
      XCTAssertEqual(bytes(memory), [0, 0, 0, 0])
      FileMappings.unwatch(memory)
      FileMappings.unwatch(memory)
      XCTAssertFalse(FileMappings.isDamaged(memory))
      FileMappings.watch(memory, length: 4 * page)
      XCTAssertFalse(FileMappings.isDamaged(memory))
      FileMappings.unwatch(memory)
    }
  }

  /// More files than are watched at a time are mapped all the same.
  func testManyMappingsComeAndGo() {
    let starts = (1...2_000).compactMap { UnsafeRawPointer(bitPattern: $0 << 20) }
    for _ in 0..<2 {
      for start in starts { FileMappings.watch(start, length: page) }
      for start in starts { FileMappings.unwatch(start) }
    }
    XCTAssertFalse(starts.contains { FileMappings.isDamaged($0) })
  }
}
