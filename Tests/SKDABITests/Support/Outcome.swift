import CSKD
import SKDABI
import XCTest

/// What a call of skd.h returned, with the message it left: for calls that are made before they are
/// judged.
struct Outcome {
  let status: skd_status
  let message: String

  init(_ status: skd_status) {
    self.status = status
    message = String(cString: skd_last_error())
  }
}

/// Asserts that the call refused an argument, for a reason that contains `reason`.
func assertRefused(
  _ outcome: Outcome, _ reason: String, file: StaticString = #filePath, line: UInt = #line
) {
  XCTAssertEqual(outcome.status, skd_status(SKD_INVALID_ARGUMENT), file: file, line: line)
  XCTAssertTrue(outcome.message.contains(reason), outcome.message, file: file, line: line)
}
