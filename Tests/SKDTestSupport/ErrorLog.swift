import Foundation

/// Where `assertClose` writes what share of its tolerance an error took, if the environment variable
/// SKD_TEST_ERRORS names a file: a line of share, place and message for each assertion.
///
/// This is how errors that comments call measured were measured.
final class ErrorLog: Sendable {
  static let shared = ProcessInfo.processInfo.environment["SKD_TEST_ERRORS"].map(ErrorLog.init)

  private let path: String

  private init(_ path: String) { self.path = path }

  func add(_ share: Double, _ file: StaticString, _ line: UInt, _ message: String) {
    let name = URL(fileURLWithPath: "\(file)").lastPathComponent
    guard let output = fopen(path, "a") else { return }
    fputs("\(share) \(name):\(line) \(message)\n", output)
    fclose(output)
  }
}
