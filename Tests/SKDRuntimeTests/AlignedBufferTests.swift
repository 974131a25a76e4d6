import SKDRuntime
import XCTest

final class AlignedBufferTests: XCTestCase {
  func testMemoryIsAlignedAndZero() throws {
    for count in [0, 1, 7, 16, 1_000] {
      let buffer = try AlignedBuffer<Float>(count: count)
      XCTAssertEqual(Int(bitPattern: buffer.pointer) % 64, 0)
      XCTAssertEqual(buffer.capacity, count)
      XCTAssertTrue((0..<count).allSatisfy { buffer.pointer[$0] == 0 })
    }
  }

  func testReserveGrowsAndNeverShrinks() throws {
    let buffer = try AlignedBuffer<Int64>(count: 4)
    let first = buffer.pointer
    buffer.pointer[0] = 5
    try buffer.reserve(3)
    XCTAssertEqual(buffer.pointer, first)
    XCTAssertEqual(buffer.pointer[0], 5)
    try buffer.reserve(5_000)
    XCTAssertEqual(buffer.capacity, 5_000)
    XCTAssertEqual(Int(bitPattern: buffer.pointer) % 64, 0)
    XCTAssertTrue((0..<5_000).allSatisfy { buffer.pointer[$0] == 0 })
  }

  func testLargeMemoryIsAlignedToHugePagesAndZero() throws {
    for count in [hugePage / 4 - 1, hugePage / 4, hugePage / 4 + 1, 1_500_007] {
      // Again, for freed memory that comes back must be zero as well.
      for _ in 0..<2 {
        let buffer = try AlignedBuffer<Float>(count: count)
        XCTAssertEqual(buffer.capacity, count)
        XCTAssertEqual(Int(bitPattern: buffer.pointer) % alignment(ofBytes: count * 4), 0)
        XCTAssertTrue(isZero(buffer), "\(count)")
        buffer.pointer.update(repeating: 1, count: count)
      }
    }
  }

  func testReserveGrowsAcrossTheSizeOfHugePages() throws {
    let buffer = try AlignedBuffer<Float>(count: 10)
    for count in [hugePage / 4 - 1, hugePage / 4, hugePage / 4 + 1, 3 * hugePage / 4] {
      buffer.pointer.update(repeating: 1, count: buffer.capacity)
      try buffer.reserve(count)
      XCTAssertEqual(buffer.capacity, count)
      XCTAssertEqual(Int(bitPattern: buffer.pointer) % alignment(ofBytes: count * 4), 0)
      XCTAssertTrue(isZero(buffer), "\(count)")
    }
    let pointer = buffer.pointer
    try buffer.reserve(hugePage / 4)
    XCTAssertEqual(buffer.pointer, pointer)
    XCTAssertEqual(buffer.capacity, 3 * hugePage / 4)
  }

  func testReleasedBytesCountNoLonger() throws {
    let before = try heldBytes()
    for bytes in [0, 1, 100, hugePage - 1, hugePage, hugePage + 1, 3 * hugePage + 4097] {
      do {
        let buffer = try AlignedBuffer<UInt8>(count: bytes)
        XCTAssertEqual(try heldBytes(), before + max(bytes, 1), "\(bytes)")
        try buffer.reserve(2 * bytes)
        XCTAssertEqual(try heldBytes(), before + max(2 * bytes, 1), "\(bytes)")
        XCTAssertThrowsError(try buffer.reserve(.max))
        withExtendedLifetime(buffer) {}
      }
      XCTAssertEqual(try heldBytes(), before, "\(bytes)")
    }
  }

  /// Twice the memory of the machine in all, a gigabyte at a time.
  func testMoreThanTheMemoryCanBeHadOneAfterAnother() throws {
    let gigabyte = 1 << 30
    let count = 2 * Int(ProcessInfo.processInfo.physicalMemory) / gigabyte + 2
    for i in 0..<count {
      let buffer = try AlignedBuffer<UInt8>(count: gigabyte)
      XCTAssertEqual(buffer.pointer[i % gigabyte], 0)
      buffer.pointer[i % gigabyte] = 1
    }
  }

  func testAbsurdSizesAreRefused() throws {
    for count in [Int.max, Int.max / 4, 1 << 50] {
      XCTAssertThrowsError(try AlignedBuffer<Float>(count: count)) { error in
        guard case SKDError.outOfMemory(let message) = error else {
          return XCTFail("got \(error)")
        }
        XCTAssertTrue(message.contains("\(count)"), message)
      }
    }
    let buffer = try AlignedBuffer<Float>(count: 2)
    buffer.pointer[1] = 3
    XCTAssertThrowsError(try buffer.reserve(.max))
    XCTAssertEqual(buffer.capacity, 2)
    XCTAssertEqual(buffer.pointer[1], 3)
  }

  // MARK: Support

  /// From this size on, in bytes, buffers are mapped by themselves on Linux.
  private let hugePage = 2 << 20

  private func alignment(ofBytes bytes: Int) -> Int {
    #if os(Linux)
      return bytes >= hugePage ? hugePage : 64
    #else
      return 64
    #endif
  }

  private func isZero<Element>(_ buffer: AlignedBuffer<Element>) -> Bool {
    let bytes = UnsafeRawPointer(buffer.pointer)
    let count = buffer.capacity * MemoryLayout<Element>.stride
    return bytes.load(as: UInt8.self) == 0 && memcmp(bytes, bytes + 1, count - 1) == 0
  }

  /// What all buffers hold, as a refusal states it.
  private func heldBytes() throws -> Int {
    do {
      _ = try AlignedBuffer<UInt8>(count: .max)
    } catch SKDError.outOfMemory(let message) {
      let words = message.split { !$0.isNumber }
      return try XCTUnwrap(words.last.flatMap { Int($0) }, message)
    }
    XCTFail("a buffer of half the address space was granted")
    return 0
  }
}
