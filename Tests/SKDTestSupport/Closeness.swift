import XCTest

/// `max |actual - expected| / max |expected|`; infinite if the counts differ or a value of either
/// is NaN, and the plain maximum difference if all of `expected` is zero.
public func relativeError(_ actual: [Float], _ expected: [Float]) -> Double {
  let scale = expected.map { Double($0.magnitude) }.max() ?? 0
  return largestDifference(actual, expected).value / (scale > 0 ? scale : 1)
}

/// Asserts that `max |actual - expected| <= relative * max |expected|`.
public func assertClose(
  _ actual: [Float], _ expected: [Float], relative: Double,
  _ message: @autoclosure () -> String = "", file: StaticString = #filePath, line: UInt = #line
) {
  ErrorLog.shared?.add(relativeError(actual, expected) / relative, file, line, message())
  if let failure = closenessFailure(actual, expected, relative: relative) {
    XCTFail(message() + " " + failure, file: file, line: line)
  }
}

/// Asserts that `max |actual - expected| <= absolute`.
public func assertClose(
  _ actual: [Float], _ expected: [Float], absolute: Double,
  _ message: @autoclosure () -> String = "", file: StaticString = #filePath, line: UInt = #line
) {
  ErrorLog.shared?.add(largestDifference(actual, expected).value / absolute, file, line, message())
  if let failure = closenessFailure(actual, expected, absolute: absolute) {
    XCTFail(message() + " " + failure, file: file, line: line)
  }
}

/// What is wrong, or nil. (XCTest on Linux cannot expect a failure, so the tests ask for this.)
func closenessFailure(_ actual: [Float], _ expected: [Float], relative: Double) -> String? {
  let error = relativeError(actual, expected)
  if error <= relative { return nil }
  return describe(actual, expected) + "relative error \(error) exceeds \(relative)"
}

func closenessFailure(_ actual: [Float], _ expected: [Float], absolute: Double) -> String? {
  let error = largestDifference(actual, expected).value
  if error <= absolute { return nil }
  return describe(actual, expected) + "absolute error \(error) exceeds \(absolute)"
}

private func describe(_ actual: [Float], _ expected: [Float]) -> String {
  guard actual.count == expected.count else {
    return "got \(actual.count) values for \(expected.count); "
  }
  let worst = largestDifference(actual, expected).index
  return "got \(actual[worst]) for \(expected[worst]) at index \(worst) of \(actual.count); "
}

private func largestDifference(_ actual: [Float], _ expected: [Float]) -> (
  value: Double, index: Int
) {
  guard actual.count == expected.count else { return (.infinity, 0) }
  var worst = (value: 0.0, index: 0)
  for i in actual.indices where actual[i] != expected[i] {
    let difference = (Double(actual[i]) - Double(expected[i])).magnitude
    if difference.isNaN { return (.infinity, i) }
    if difference > worst.value { worst = (difference, i) }
  }
  return worst
}
