import SKDRuntime
import XCTest

/// Asserts that an error refuses an argument, in a sentence that contains `part`.
public func assertRefused(
  _ error: any Error, _ part: String, file: StaticString = #filePath, line: UInt = #line
) {
  guard case SKDError.invalidArgument(let argument) = error else {
    return XCTFail("\(error)", file: file, line: line)
  }
  XCTAssertTrue(argument.message.contains(part), argument.message, file: file, line: line)
}
