import SKDRuntime
import SKDTestSupport
import XCTest

/// Values in [-1, 1) that depend on the name alone.
func values(_ name: String, _ count: Int) -> [Float] {
  uniform(name, count: count, seed: 7 << 32).map(Float.init)
}

/// sum_i a[i] b[i]: a scalar whose gradient with respect to a is b.
func weightedSum(_ a: [Double], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * Double($1.1) }
}

/// Mean and biased variance of every channel of `[rows, channels]` values, from the definition.
func naiveMoments(_ values: [Float], channels: Int) -> (mean: [Double], variance: [Double]) {
  let rows = Double(values.count / channels)
  var mean = [Double](repeating: 0, count: channels)
  var variance = mean
  for i in values.indices { mean[i % channels] += Double(values[i]) }
  for c in 0..<channels { mean[c] /= rows }
  for i in values.indices {
    let deviation = Double(values[i]) - mean[i % channels]
    variance[i % channels] += deviation * deviation / rows
  }
  return (mean, variance)
}

/// Asserts that `body` yields the same bits with 1, 2 and 3 threads.
func assertSameForAnyThreadCount(
  file: StaticString = #filePath, line: UInt = #line, _ body: () -> [[Float]]
) {
  let original = WorkerPool.shared.threadCount
  defer { WorkerPool.shared.threadCount = original }
  let results = [1, 2, 3].map { threads in
    WorkerPool.shared.threadCount = threads
    return body().map { $0.map(\.bitPattern) }
  }
  XCTAssertEqual(results[0], results[1], "1 and 2 threads", file: file, line: line)
  XCTAssertEqual(results[0], results[2], "1 and 3 threads", file: file, line: line)
}

/// Asserts that `body` yields the same bits with 1, 2 and 3 threads.
func assertSameDoublesForAnyThreadCount(
  file: StaticString = #filePath, line: UInt = #line, _ body: () -> [Double]
) {
  let original = WorkerPool.shared.threadCount
  defer { WorkerPool.shared.threadCount = original }
  let results = [1, 2, 3].map { threads in
    WorkerPool.shared.threadCount = threads
    return body().map(\.bitPattern)
  }
  XCTAssertEqual(results[0], results[1], "1 and 2 threads", file: file, line: line)
  XCTAssertEqual(results[0], results[2], "1 and 3 threads", file: file, line: line)
}

extension Fixture {
  /// Asserts that `values`, in the order of the file, agree at the sampled entries of `key`.
  func assertSampled(
    _ key: String, _ values: [Float], relative: Double, file: StaticString = #filePath,
    line: UInt = #line
  ) throws {
    let indices = try integers(key + ".idx")
    guard let last = indices.max(), last < values.count else {
      return XCTFail("\(key) has an index beyond \(values.count)", file: file, line: line)
    }
    assertClose(
      indices.map { values[$0] }, try floats(key + ".val"), relative: relative, key, file: file,
      line: line)
  }

  /// As `assertSampled` of values in NHWC order, for a file in NCHW order. `shape` is NCHW.
  func assertSampledImages(
    _ key: String, _ values: [Float], shape: [Int], relative: Double,
    file: StaticString = #filePath, line: UInt = #line
  ) throws {
    try assertSampled(
      key, nchwFromNHWC(values, shape: shape), relative: relative, file: file, line: line)
  }
}

/// The images `name` of a golden file, in NHWC order. `shape` is NCHW.
func goldenImages(_ name: String, shape: [Int], seed: Int) -> [Float] {
  nhwcFromNCHW(fill(name, shape: shape, seed: seed), shape: shape)
}
