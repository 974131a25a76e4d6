import SKDRuntime
import XCTest

final class MachineMemoryTests: XCTestCase {
  func testSomeButNotMoreThanAllIsAvailable() {
    XCTAssertGreaterThan(MachineMemory.availableBytes(), 0)
    XCTAssertLessThanOrEqual(MachineMemory.availableBytes(), MachineMemory.physicalBytes)
  }

  func testOnlyWhatIsAvailableCanBeRequired() throws {
    let all = MachineMemory.physicalBytes
    try MachineMemory.require(1, for: "a byte")
    try MachineMemory.require(2 * all, for: "what is held already", reusable: 2 * all - 1)
    XCTAssertThrowsError(try MachineMemory.require(2 * all, for: "a whale")) { error in
      guard case SKDError.outOfMemory(let message) = error else { return XCTFail("\(error)") }
      XCTAssertTrue(message.hasPrefix("a whale does not fit into memory"), message)
    }
  }
}
