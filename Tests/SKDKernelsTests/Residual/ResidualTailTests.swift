import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDKernels

final class ResidualTailTests: XCTestCase {
  private let sides = [1, 2, 3, 5, 7]
  // Around one and two vectors of each instruction set.
  private let channelCounts = [1, 3, 15, 16, 17, 33, 64]
  private let norms = [(false, false), (true, false), (false, true), (true, true)]

  /// Every height, width and channel count with every pair of norms; batches take turns.
  private var cases: [ResidualTailCase] {
    var cases: [ResidualTailCase] = []
    for height in sides {
      for width in sides {
        for channels in channelCounts {
          for (main, side) in norms {
            let shape = ImageShape(
              batch: (cases.count / 4 + cases.count) % 4, height: height, width: width,
              channels: channels)
            cases.append(.exact(shape, normalizesMain: main, normalizesSide: side))
          }
        }
      }
    }
    // Without pooling the height and the width are one extent, of rows.
    for width in [1, 2, 7, 13] {
      for channels in channelCounts {
        for (main, side) in norms {
          let shape = ImageShape(
            batch: cases.count % 4, height: 1, width: width, channels: channels)
          cases.append(
            .exact(shape, pools: false, normalizesMain: main, normalizesSide: side))
        }
      }
    }
    return cases
  }

  /// Their rows go into several groups, the last of them smaller.
  private let large = [true, false].map { pools in
    ResidualTailCase.exact(
      ImageShape(batch: 3, height: 23, width: 21, channels: 35), pools: pools,
      normalizesMain: true, normalizesSide: true)
  }

  /// To the bit: see `ResidualTailCase.exact`.
  func testForwardAndBackwardMatchNaiveReference() {
    for test in large { XCTAssertGreaterThan(test.groups, 2) }
    for test in cases + large {
      let (output, isOutputIntact) = test.forward()
      XCTAssertEqual(output, test.naiveForward().output.map(Float.init), "\(test)")
      let (actual, areGradientsIntact) = test.backward()
      let expected = test.naiveBackward()
      XCTAssertEqual(actual.dSum, expected.dSum, "\(test)")
      XCTAssertEqual(actual.main, expected.main, "\(test)")
      XCTAssertEqual(actual.side, expected.side, "\(test)")
      XCTAssertTrue(isOutputIntact && areGradientsIntact, "\(test)")
    }
  }

  func testBackwardSendsTiedGradientToFirstMaximum() {
    for (main, winner) in [
      ([1, 1, 1, 1], 0), ([0, 1, 1, 1], 1), ([0, 0, 1, 1], 2), ([0, 0, 0, 1], 3),
      ([1, 0, 1, 0], 0), ([0, 1, 0, 1], 1), ([-3, -2, -2, -4], 1), ([-1, -1, -1, -1], 0),
    ] as [([Float], Int)] {
      let shape = ImageShape(batch: 1, height: 2, width: 2, channels: 1)
      var test = ResidualTailCase.exact(shape, normalizesMain: false, normalizesSide: false)
      (test.main.values, test.side.values, test.dOutput) = (main, [0.5, 0.5, 0.5, 0.5], [8])
      var expected: [Float] = [0, 0, 0, 0]
      expected[winner] = main[winner] + 0.5 > 0 ? 8 : 2
      XCTAssertEqual(test.backward().gradients.dSum, expected, "\(main)")
    }
  }

  func testANaNInAnyPlaceOfAWindowLosesNoGradientOfOtherWindows() {
    let shape = ImageShape(batch: 1, height: 2, width: 4, channels: 17)
    for place in [0, 1, 4, 5] {
      var test = ResidualTailCase.exact(shape, normalizesMain: true, normalizesSide: false)
      let expected = test.backward().gradients.dSum
      for c in 0..<17 { test.main.values[place * 17 + c] = .nan }
      let actual = test.backward().gradients.dSum
      for i in actual.indices where i / 17 % 4 >= 2 {
        XCTAssertEqual(actual[i], expected[i], "place \(place)")
      }
    }
  }

  func testBackwardMatchesFiniteDifferences() {
    let shape = ImageShape(batch: 2, height: 5, width: 4, channels: 3)
    for pools in [true, false] {
      let test = ResidualTailCase(
        shape: shape, pools: pools, slope: 0.1,
        main: ResidualTailCase.Branch(values: values("main", shape.count)),
        side: ResidualTailCase.Branch(values: values("side", shape.count)),
        dOutput: values("dOutput", (pools ? shape.pooled : shape).count))
      let dSum = test.backward().gradients.dSum
      for branch in [\ResidualTailCase.main, \.side] {
        assertGradient(
          dSum,
          of: { values in
            var changed = test
            changed[keyPath: branch].values = values
            return weightedSum(changed.naiveForward().output, test.dOutput)
          }, at: test[keyPath: branch].values, step: 1e-4, sampleLimit: shape.count)
      }
    }
  }

  /// The statistics are those of the batch: the differences go through them, too.
  func testBackwardThroughBatchNormsMatchesFiniteDifferences() {
    for pools in [true, false] { checkBackwardThroughBatchNorms(pools: pools) }
  }

  private func checkBackwardThroughBatchNorms(pools: Bool) {
    let shape = ImageShape(batch: 3, height: 5, width: 4, channels: 3)
    let test = ResidualTailCase(
      shape: shape, pools: pools, slope: 0.1, main: normalizedBranch("main", shape),
      side: normalizedBranch("side", shape),
      dOutput: values("dOutput", (pools ? shape.pooled : shape).count))
    let (gradients, _) = test.backward()
    for (branch, sums) in [(\ResidualTailCase.main, gradients.main), (\.side, gradients.side)] {
      func loss(_ change: (inout ResidualTailCase.Branch) -> Void) -> Double {
        var changed = test
        change(&changed[keyPath: branch])
        let (output, _) = changed.naiveForward(
          main: changed.main.batchNormalized, side: changed.side.batchNormalized)
        return weightedSum(output, test.dOutput)
      }
      guard let sums, let parameters = test[keyPath: branch].normalization else {
        return XCTFail("a branch is without sums")
      }
      let input = test[keyPath: branch].values
      var dInput = [Float](repeating: .nan, count: shape.count)
      let guarded = GuardedChannelValues(parameters)
      withExtendedLifetime(guarded) {
        batchNormInputGradient(
          input, gradients.dSum, rows: shape.rows, channels: shape.channels,
          guarded.normalization, isMasked: true, statisticsRows: shape.rows,
          dWeight: sums.dWeight, dBias: sums.dBias, dInput: &dInput)
      }
      assertGradient(
        dInput, of: { values in loss { $0.values = values } }, at: input, step: 1e-4, "input")
      assertGradient(
        sums.dWeight, of: { values in loss { $0.normalization?.weight = values } },
        at: parameters.weight, step: 1e-4, "weight")
      assertGradient(
        sums.dBias, of: { values in loss { $0.normalization?.bias = values } },
        at: parameters.bias, step: 1e-4, "bias")
    }
  }

  /// Without activation and with a side of zeros, what is left is max pooling.
  func testGoldenMaxPool2D() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    for index in 0..<(try fixture.integer("pool.count")) {
      let key = "pool\(index)"
      let cfg = try fixture.integers(key + ".cfg")
      let nchw = [cfg[0], cfg[1], cfg[2], cfg[2]]
      let shape = ImageShape(batch: cfg[0], height: cfg[2], width: cfg[2], channels: cfg[1])
      let pooled = try fixture.integers(key + ".y.shape")
      let input = nhwcFromNCHW(
        uniform(key + ".x", count: shape.count, seed: seed).map {
          Float(($0 * 4).rounded(.down) / 4)
        }, shape: nchw)
      let zeros = [Float](repeating: 0, count: shape.count)
      let test = ResidualTailCase(
        shape: shape, slope: 1, main: ResidualTailCase.Branch(values: input),
        side: ResidualTailCase.Branch(values: zeros),
        dOutput: goldenImages(key + ".gy", shape: pooled, seed: seed))
      try fixture.assertSampledImages(key + ".y", test.forward().output, shape: pooled, relative: 0)
      try fixture.assertSampledImages(
        key + ".g.x", test.backward().gradients.dSum, shape: nchw, relative: 0)
    }
  }

  func testResultsDoNotDependOnThreads() throws {
    let original = WorkerPool.shared.threadCount
    defer { WorkerPool.shared.threadCount = original }
    for pools in [true, false] { try checkResultsDoNotDependOnThreads(pools: pools) }
  }

  private func checkResultsDoNotDependOnThreads(pools: Bool) throws {
    let shape = ImageShape(batch: 9, height: 21, width: 21, channels: 40)
    let test = ResidualTailCase(
      shape: shape, pools: pools, slope: 0.1, main: normalizedBranch("main", shape),
      side: normalizedBranch("side", shape),
      dOutput: values("dOutput", (pools ? shape.pooled : shape).count))
    XCTAssertGreaterThan(test.groups, 5)
    var expected: [[UInt32]]?
    for threads in [1, 2, 3, 5] {
      WorkerPool.shared.threadCount = threads
      let (gradients, _) = test.backward()
      let (main, side) = try (XCTUnwrap(gradients.main), XCTUnwrap(gradients.side))
      let actual = [
        test.forward().output, gradients.dSum, main.dWeight, main.dBias, side.dWeight, side.dBias,
      ].map { $0.map(\.bitPattern) }
      XCTAssertTrue(actual == expected ?? actual, "\(threads) threads")
      expected = actual
    }
  }

  /// A branch with the statistics of its values.
  private func normalizedBranch(_ name: String, _ shape: ImageShape) -> ResidualTailCase.Branch {
    let input = values(name, shape.count)
    var parameters = ChannelValues.general(name, channels: shape.channels, slope: 1)
    let (mean, inverseStd) = batchStatistics(input, channels: shape.channels)
    (parameters.mean, parameters.inverseStd) = (mean.map(Float.init), inverseStd.map(Float.init))
    return ResidualTailCase.Branch(values: input, normalization: parameters)
  }
}

extension ResidualTailCase {
  fileprivate var groups: Int {
    let unused = UnsafePointer<Float>(bitPattern: 64)!
    return tail(main: unused, nil, side: unused, nil).groups
  }
}

extension ResidualTailCase.Branch {
  /// Normalised with the statistics of the values that the branch has now.
  fileprivate var batchNormalized: [Double] {
    guard let normalization else { return values.map(Double.init) }
    let (mean, inverseStd) = batchStatistics(values, channels: normalization.mean.count)
    return values.indices.map { i in
      let c = i % mean.count
      return Double(normalization.bias[c])
        + Double(normalization.weight[c]) * inverseStd[c] * (Double(values[i]) - mean[c])
    }
  }
}

private func batchStatistics(_ values: [Float], channels: Int) -> (
  mean: [Double], inverseStd: [Double]
) {
  let (mean, variance) = naiveMoments(values, channels: channels)
  return (mean, variance.map { 1 / ($0 + 1e-5).squareRoot() })
}
