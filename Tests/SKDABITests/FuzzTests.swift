import Foundation
import XCTest

/// Random calls of every function of skd.h, in a process of its own: a crash there is a failure here,
/// with the seed and the call.
final class FuzzTests: XCTestCase {
  func testTenThousandRandomCallsKeepTheHeadersPromises() throws {
    let (status, output) = try fuzz(["1", "10000"])
    let last = output.split(separator: "\n").suffix(2).joined(separator: "; ")
    XCTAssertEqual(status, 0, last)
    for outcome in 0...4 { XCTAssertTrue(last.contains(" of status \(outcome)"), last) }
  }

  func testEveryFunctionOfTheHeaderIsCalled() throws {
    let header = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/CSKD/include/skd.h").standardized
    let text = try String(contentsOf: header, encoding: .utf8)
    // At the beginning of a line: the type, then the name.
    let declaration = try NSRegularExpression(
      pattern: #"^(?:skd_status|void|int32_t|int64_t|const \w+ \*) ?(skd_\w+)\("#,
      options: .anchorsMatchLines)
    let range = NSRange(text.startIndex..., in: text)
    let declared = declaration.matches(in: text, range: range).compactMap { match in
      Range(match.range(at: 1), in: text).map { String(text[$0]) }
    }
    XCTAssertGreaterThan(declared.count, 70)
    let (_, output) = try fuzz(["list"])
    XCTAssertEqual(Set(output.split(separator: "\n").map(String.init)), Set(declared))
  }

  private func fuzz(_ arguments: [String]) throws -> (status: Int32, output: String) {
    var products = Bundle(for: Self.self).bundleURL
    #if os(macOS)
      products.deleteLastPathComponent()  // there the bundle is a folder of its own
    #endif
    let process = Process()
    process.executableURL = products.appendingPathComponent("SKDABIFuzzer")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let status =
      process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return (status, String(decoding: output, as: UTF8.self))
  }
}
