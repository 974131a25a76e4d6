import SKDKernels
import SKDTestSupport
import XCTest

final class BatchNormTests: XCTestCase {
  // Around the vector (16 channels), and around one and three chunks of 512 rows.
  private let sizes = [
    (1, 1), (2, 3), (7, 16), (16, 15), (17, 17), (31, 32), (512, 1), (513, 5), (1537, 33),
  ]

  func testStatisticsMatchNaiveReference() {
    for (rows, channels) in sizes {
      for offset in [0, 64] as [Float] {
        let input = values("input", rows * channels).map { $0 + offset }
        let expected = naiveMoments(input, channels: channels)
        let actual = statistics(input, rows: rows, channels: channels)
        let name = "\(rows)x\(channels) + \(offset)"
        // One unit in the last place of the mean: 8e-6 near 64. The variance, about
        // 1/3, loses no more than without offset.
        let unit = offset == 0 ? 1.2e-7 : 8e-6
        assertClose(actual.mean, expected.mean.map(Float.init), absolute: unit, name)
        assertClose(actual.variance, expected.variance.map(Float.init), absolute: 5e-7, name)
      }
    }
  }

  func testStatisticsSurviveALargeOffsetBetweenChunks() {
    let (rows, channels) = (1024, 2)  // the first chunk at 0, the second at 1000
    let input = (0..<rows * channels).map { Float($0 < rows * channels / 2 ? 0 : 1000) }
    let actual = statistics(input, rows: rows, channels: channels)
    XCTAssertEqual(actual.mean, [500, 500])
    XCTAssertEqual(actual.variance, [250_000, 250_000])
  }

  func testVarianceOfEqualValuesIsNeverNegative() {
    for value in [0, 0.1, -3.7, 1e4] as [Float] {
      for rows in [1, 3, 511, 700] {
        let actual = statistics(
          [Float](repeating: value, count: rows * 17), rows: rows, channels: 17)
        XCTAssertGreaterThanOrEqual(actual.variance.min() ?? -1, 0)
        assertClose(actual.mean, [Float](repeating: value, count: 17), relative: 1.2e-7)
      }
    }
  }

  func testStatisticsOfNaNAreNaN() {
    var input = values("input", 600 * 3)
    input[4] = .nan
    let actual = statistics(input, rows: 600, channels: 3)
    XCTAssertEqual(actual.mean.map(\.isNaN), [false, true, false])
    XCTAssertEqual(actual.variance.map(\.isNaN), [false, true, false])
  }

  func testForwardMatchesNaiveReference() {
    for (rows, channels) in sizes {
      for slope in [1, 0.1, 0] as [Float] {
        let test = Case(rows: rows, channels: channels, slope: slope)
        assertClose(
          test.forward(), test.naiveForward(test.input, test.weight, test.bias).map(Float.init),
          relative: 1e-6, "\(rows)x\(channels) slope \(slope)")
      }
    }
  }

  func testForwardWorksInPlace() {
    let test = Case(rows: 40, channels: 19, slope: 0.1)
    var inPlace = test.input
    inPlace.withUnsafeMutableBufferPointer { buffer in
      let pointer = buffer.baseAddress!
      batchNormForward(
        pointer, rows: test.rows, channels: test.channels, mean: test.mean,
        inverseStd: test.inverseStd, weight: test.weight, bias: test.bias, slope: test.slope,
        output: pointer)
    }
    XCTAssertEqual(inPlace, test.forward())
  }

  func testBackwardMatchesNaiveReference() {
    for (rows, channels) in sizes {
      for (slope, usesBatchStatistics) in [(1, true), (0.1, true), (0.1, false)] as [(Float, Bool)]
      {
        let test = Case(rows: rows, channels: channels, slope: slope)
        let actual = test.backward(usesBatchStatistics: usesBatchStatistics)
        let expected = test.naiveBackward(usesBatchStatistics: usesBatchStatistics)
        let name = "\(rows)x\(channels) slope \(slope) batch statistics \(usesBatchStatistics)"
        // With one row, everything cancels except the rounding of the terms, which have size 1.
        let scale = rows == 1 ? 1e-5 : 2e-6
        assertClose(actual.dBias, expected.dBias, absolute: scale * Double(rows), name)
        assertClose(actual.dWeight, expected.dWeight, absolute: scale * Double(rows), name)
        let largest = Double(test.inverseStd.max() ?? 1)
        assertClose(actual.dInput, expected.dInput, absolute: 3e-6 * largest, name)
      }
    }
  }

  func testBackwardMatchesFiniteDifferences() {
    for slope in [1, 0.1] as [Float] {
      let test = Case(rows: 11, channels: 5, slope: slope)
      let gradients = test.backward(usesBatchStatistics: true)
      assertGradient(
        gradients.dInput,
        of: { weightedSum(test.naiveForward($0, test.weight, test.bias), test.dOutput) },
        at: test.input, step: 1e-4, "dInput")
      assertGradient(
        gradients.dWeight,
        of: { weightedSum(test.naiveForward(test.input, $0, test.bias), test.dOutput) },
        at: test.weight, step: 1e-4, "dWeight")
      assertGradient(
        gradients.dBias,
        of: { weightedSum(test.naiveForward(test.input, test.weight, $0), test.dOutput) },
        at: test.bias, step: 1e-4, "dBias")
    }
  }

  func testBackwardWithoutInputGradientAndInPlaceAgree() {
    let test = Case(rows: 600, channels: 21, slope: 0.1)
    let expected = test.backward(usesBatchStatistics: true)
    var dInput = test.dOutput
    var (dWeight, dBias) = ([Float](repeating: 9, count: 21), [Float](repeating: 9, count: 21))
    dInput.withUnsafeMutableBufferPointer { buffer in
      let pointer = buffer.baseAddress!
      test.backward(
        pointer, usesBatchStatistics: true, dInput: nil, dWeight: &dWeight, dBias: &dBias)
      test.backward(
        pointer, usesBatchStatistics: true, dInput: pointer, dWeight: &dWeight, dBias: &dBias)
    }
    XCTAssertEqual(dInput, expected.dInput)
    XCTAssertEqual(dWeight, expected.dWeight)
    XCTAssertEqual(dBias, expected.dBias)
  }

  func testResultsDoNotDependOnThreads() {
    let test = Case(rows: 4_000, channels: 24, slope: 0.1)
    assertSameForAnyThreadCount {
      let statistics = statistics(test.input, rows: test.rows, channels: test.channels)
      let gradients = test.backward(usesBatchStatistics: true)
      return [
        statistics.mean, statistics.variance, test.forward(), gradients.dInput, gradients.dWeight,
        gradients.dBias,
      ]
    }
  }

  func testRunningStatisticsUseTheUnbiasedVariance() {
    var (mean, variance): ([Float], [Float]) = ([1, 0], [1, 4])
    updateRunningStatistics(
      mean: [3, -1], variance: [2, 8], rows: 5, channels: 2, momentum: 0.5, runningMean: &mean,
      runningVariance: &variance)
    XCTAssertEqual(mean, [2, -0.5])
    XCTAssertEqual(variance, [1.75, 7])  // 2 and 8 times 5/4
  }

  func testGoldenValues() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    for index in 0..<(try fixture.integer("bn.count")) {
      let key = "bn\(index)"
      let configuration = try fixture.integers(key + ".cfg")
      let (channels, side, offset) = (configuration[1], configuration[2], configuration[3])
      let shape = [configuration[0], channels, side, side]
      let input = nhwcFromNCHW(
        uniform(key + ".x", count: shape.reduce(1, *), seed: seed).map {
          Float(Double(offset) + $0)
        }, shape: shape)
      for isTraining in [true, false] {
        let mode = key + (isTraining ? ".train" : ".eval")
        var runningMean = fill(key + ".running_mean", shape: [channels], seed: seed)
        var runningVariance = fill(key + ".running_var", shape: [channels], seed: seed)
        var test = Case(
          rows: input.count / channels, channels: channels, slope: 1, input: input,
          dOutput: goldenImages(mode + ".gy", shape: shape, seed: seed),
          weight: fill(key + ".weight", shape: [channels], seed: seed),
          bias: fill(key + ".bias", shape: [channels], seed: seed))
        if isTraining {
          updateRunningStatistics(
            mean: test.mean, variance: test.variance, rows: test.rows, channels: channels,
            momentum: 0.1, runningMean: &runningMean, runningVariance: &runningVariance)
          assertClose(
            runningMean, try fixture.floats(mode + ".running_mean"), relative: 1e-6, mode)
          assertClose(
            runningVariance, try fixture.floats(mode + ".running_var"), relative: 1e-6, mode)
        } else {
          test.use(mean: runningMean, variance: runningVariance)
        }
        let tolerance = offset == 0 ? 1e-5 : 5e-5
        let gradients = test.backward(usesBatchStatistics: isTraining)
        try fixture.assertSampledImages(
          mode + ".y", test.forward(), shape: shape, relative: tolerance)
        try fixture.assertSampledImages(
          mode + ".g.x", gradients.dInput, shape: shape, relative: tolerance)
        try fixture.assertSampled(mode + ".g.weight", gradients.dWeight, relative: tolerance)
        try fixture.assertSampled(mode + ".g.bias", gradients.dBias, relative: tolerance)
      }
    }
  }
}

/// Statistics by the kernels.
private func statistics(_ input: [Float], rows: Int, channels: Int) -> (
  mean: [Float], variance: [Float]
) {
  var mean = [Float](repeating: .nan, count: channels)
  var variance = mean
  var scratch = [Float](
    repeating: .nan, count: batchNormScratchCount(rows: rows, channels: channels))
  batchNormStatistics(
    input, rows: rows, channels: channels, mean: &mean, variance: &variance, scratch: &scratch)
  return (mean, variance)
}

/// One batch, its layer, and what the kernels and the formulas make of them.
private struct Case {
  let rows, channels: Int
  let slope: Float
  let input, dOutput, weight, bias: [Float]
  var mean, variance, inverseStd: [Float]
  let eps: Float = 1e-5

  init(rows: Int, channels: Int, slope: Float) {
    self.init(
      rows: rows, channels: channels, slope: slope, input: values("input", rows * channels),
      dOutput: values("dOutput", rows * channels), weight: values("weight", channels),
      bias: values("bias", channels))
  }

  init(
    rows: Int, channels: Int, slope: Float, input: [Float], dOutput: [Float], weight: [Float],
    bias: [Float]
  ) {
    (self.rows, self.channels, self.slope) = (rows, channels, slope)
    (self.input, self.dOutput, self.weight, self.bias) = (input, dOutput, weight, bias)
    (mean, variance) = statistics(input, rows: rows, channels: channels)
    inverseStd = variance
    use(mean: mean, variance: variance)
  }

  mutating func use(mean: [Float], variance: [Float]) {
    (self.mean, self.variance) = (mean, variance)
    inverseStandardDeviation(
      variance: variance, channels: channels, eps: eps, inverseStd: &inverseStd)
  }

  func forward() -> [Float] {
    var output = [Float](repeating: .nan, count: input.count)
    batchNormForward(
      input, rows: rows, channels: channels, mean: mean, inverseStd: inverseStd, weight: weight,
      bias: bias, slope: slope, output: &output)
    return output
  }

  func backward(usesBatchStatistics: Bool) -> (dInput: [Float], dWeight: [Float], dBias: [Float]) {
    var dInput = [Float](repeating: .nan, count: input.count)
    var dWeight = [Float](repeating: .nan, count: channels)
    var dBias = dWeight
    backward(
      dOutput, usesBatchStatistics: usesBatchStatistics, dInput: &dInput, dWeight: &dWeight,
      dBias: &dBias)
    return (dInput, dWeight, dBias)
  }

  func backward(
    _ dOutput: UnsafePointer<Float>, usesBatchStatistics: Bool,
    dInput: UnsafeMutablePointer<Float>?, dWeight: UnsafeMutablePointer<Float>,
    dBias: UnsafeMutablePointer<Float>
  ) {
    var scratch = [Float](
      repeating: .nan, count: batchNormScratchCount(rows: rows, channels: channels))
    batchNormBackward(
      input, dOutput, rows: rows, channels: channels, mean: mean, inverseStd: inverseStd,
      weight: weight, bias: bias, slope: slope, usesBatchStatistics: usesBatchStatistics,
      dInput: dInput, dWeight: dWeight, dBias: dBias, scratch: &scratch)
  }

  /// The whole operation, statistics included, in Double.
  func naiveForward(_ input: [Float], _ weight: [Float], _ bias: [Float]) -> [Double] {
    let (mean, variance) = naiveMoments(input, channels: channels)
    return input.indices.map { i in
      let c = i % channels
      let normalized = (Double(input[i]) - mean[c]) / (variance[c] + Double(eps)).squareRoot()
      let value = Double(weight[c]) * normalized + Double(bias[c])
      return value > 0 ? value : Double(slope) * value
    }
  }

  func naiveBackward(usesBatchStatistics: Bool) -> (
    dInput: [Float], dWeight: [Float], dBias: [Float]
  ) {
    var dWeight = [Double](repeating: 0, count: channels)
    var dBias = dWeight
    let normalized = input.indices.map { i in
      (Double(input[i]) - Double(mean[i % channels])) * Double(inverseStd[i % channels])
    }
    let masked = input.indices.map { i in
      let value = Double(weight[i % channels]) * normalized[i] + Double(bias[i % channels])
      return Double(dOutput[i]) * (value > 0 ? 1 : Double(slope))
    }
    for i in input.indices {
      dBias[i % channels] += masked[i]
      dWeight[i % channels] += masked[i] * normalized[i]
    }
    let dInput = input.indices.map { i in
      let c = i % channels
      let common = usesBatchStatistics ? (dBias[c] + normalized[i] * dWeight[c]) / Double(rows) : 0
      return Float(Double(weight[c]) * Double(inverseStd[c]) * (masked[i] - common))
    }
    return (dInput, dWeight.map(Float.init), dBias.map(Float.init))
  }
}
