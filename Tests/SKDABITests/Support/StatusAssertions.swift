import CSKD
import SKDABI
import XCTest

/// Asserts that a call of skd.h succeeded.
func assertOK(_ status: skd_status, file: StaticString = #filePath, line: UInt = #line) {
  XCTAssertEqual(status, skd_status(SKD_OK), lastError, file: file, line: line)
}

/// Asserts that a call of skd.h refused an argument, for a reason that contains `reason`.
func assertRefused(
  _ status: skd_status, _ reason: String, file: StaticString = #filePath, line: UInt = #line
) {
  XCTAssertEqual(status, skd_status(SKD_INVALID_ARGUMENT), file: file, line: line)
  XCTAssertTrue(lastError.contains(reason), lastError, file: file, line: line)
}

private var lastError: String { String(cString: skd_last_error()) }
