import SKDTestSupport
import XCTest

@testable import SKDKernels

extension Conv2DCase {
  // Errors as a share of the largest value. The largest errors measured over all cases, with
  // AVX-512, of output, input gradient and weight gradient: 2.3e-6, 2.7e-6 and 2.7e-6 by Winograd,
  // and 5.8e-7, 3.3e-7 and 2.5e-6 otherwise (where the longest sums have 4300 terms).
  static let winogradTolerance = 2e-5
  static let gemmTolerance = 1e-5
  var tolerance: Double { algorithm == .winograd ? Self.winogradTolerance : Self.gemmTolerance }

  /// Asserts that a pass wrote what a formula says, at some of its values, and nothing else.
  func check(
    _ result: Result, _ expected: (Int) -> Double, file: StaticString = #filePath,
    line: UInt = #line
  ) {
    let count = result.values.count
    let samples = min(count, 96)
    let indices = (0..<samples).map { $0 * count / samples + ($0 * 7) % max(count / samples, 1) }
    let wanted = indices.map { Float(expected($0)) }
    // Where the largest of few values is a sum that cancels out, rounding is that of its terms.
    let scale = max(Double(wanted.map(\.magnitude).max() ?? 0), 0.25)
    assertClose(
      indices.map { result.values[$0] }, wanted, absolute: tolerance * scale, "\(self)",
      file: file, line: line)
    XCTAssertTrue(result.values.allSatisfy(\.isFinite), "\(self)", file: file, line: line)
    XCTAssertTrue(result.isIntact, "\(self)", file: file, line: line)
  }
}
