import CSKD
import Foundation
import SKDABI
import XCTest

final class InstructionSetABITests: XCTestCase {
  func testInstructionSetIsWhatTheLibraryWasCompiledFor() {
    let name = String(cString: skd_instruction_set())
    #if arch(arm64)
      XCTAssertEqual(name, "NEON")
    #elseif arch(x86_64)
      XCTAssertTrue(["AVX-512", "AVX2", "SSE2"].contains(name), name)
    #else
      XCTAssertEqual(name, "other")
    #endif
  }

  /// `swift test` builds for what SKD_MARCH names.
  func testInstructionSetIsThatOfTheLevelAskedFor() {
    let level = ProcessInfo.processInfo.environment["SKD_MARCH"] ?? ""
    let names = [
      "x86-64": "SSE2", "x86-64-v2": "SSE2", "x86-64-v3": "AVX2", "x86-64-v4": "AVX-512",
    ]
    let compiled = String(cString: skd_instruction_set())
    XCTAssertEqual(compiled, names[level] ?? compiled)
  }
}
