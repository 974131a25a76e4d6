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
}
