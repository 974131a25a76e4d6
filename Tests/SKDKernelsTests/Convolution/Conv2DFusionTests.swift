import Foundation
import SKDRuntime
import SKDTestSupport
import XCTest

@testable import SKDKernels

/// What `Conv2D` does on the way in and out of memory, against the same work in passes of its own.
///
/// The plain passes are checked in `Conv2DTests`; every run is in guarded memory, as there.
final class Conv2DFusionTests: XCTestCase {
  func testPassesOverANormalizedInputMatchNaiveReference() {
    for test in Conv2DCase.allNormalizing {
      test.check(test.forward(), test.reference.output)
      test.check(test.backwardWeight(), test.reference.dWeight)
    }
  }

  /// In full, where the test above takes samples.
  func testNormalizedInputMatchesAPassOfItsOwn() {
    for test in Conv2DCase.allNormalizing {
      var separate = test
      separate.source = nil
      for pass in [Conv2DCase.forward, Conv2DCase.backwardWeight] {
        // The norm is rounded once or twice, and Winograd's transforms magnify that.
        assertClose(
          pass(test)().values, pass(separate)().values, relative: test.tolerance, "\(test)")
      }
    }
  }

  func testMomentsMatchThoseOfTheOutputs() {
    for test in Conv2DCase.all where test.reference.batch > 0 {
      for offset in [0, 64] as [Float] {
        var test = test
        test.reference.slope = 1
        if offset > 0 {
          let bias = test.reference.bias ?? [Float](repeating: 0, count: test.reference.outputs)
          test.reference.bias = bias.map { $0 + offset }
        }
        let (output, moments) = test.forwardTakingMoments()
        let name = "\(test) + \(offset)"
        XCTAssertTrue(output.isIntact, name)
        assertClose(output.values, test.forward().values, relative: 0, name)
        let (mean, variance) = naiveMoments(output.values, channels: test.reference.outputs)
        // An offset costs the mean its last digit, and the variance none. Sums are relative to the
        // group's first value: where that is three deviations off, squares are ten times the
        // variance, and so is the rounding of their sum (measured 3.6e-6 in all).
        let largest = mean.map(\.magnitude).max() ?? 0
        let deviation = (variance.max() ?? 0).squareRoot()
        let meanTolerance = 1.2e-7 * largest + 1e-6 * deviation
        assertClose(moments.first, mean.map(Float.init), absolute: meanTolerance, name)
        assertClose(moments.second, variance.map(Float.init), relative: 1e-5, name)
      }
    }
  }

  func testSumOfInputGradientsMatchesAPassOfItsOwn() {
    for test in Conv2DCase.all {
      let addend = test.reference.input
      let (plain, sum) = (test.backwardInput(), test.backwardInput(adding: addend))
      XCTAssertEqual(sum.values, zip(plain.values, addend).map { $0 + $1 }, "\(test)")
      XCTAssertTrue(sum.isIntact, "\(test)")
    }
  }

  func testInputGradientThroughANormMatchesPassesOfItsOwn() throws {
    for test in Conv2DCase.allNormalizing {
      let source = try XCTUnwrap(test.source)
      let (masked, gradients) = test.backwardInputThroughNorm()
      XCTAssertTrue(masked.isIntact, "\(test)")
      let plain = test.backwardInput().values
      let normalized = source.norm.normalized(source.values)
      let expected = zip(plain, normalized).map { $1 > 0 ? $0 : $0 * source.norm.slope }
      XCTAssertEqual(masked.values, expected, "\(test)")
      let (dBias, dWeight, terms) = naiveGradients(expected, source.values, source.norm)
      // The tolerance is a share of the terms' sizes, because the terms cancel.
      assertClose(gradients.first, dBias, absolute: 1e-6 * terms, "bias, \(test)")
      assertClose(gradients.second, dWeight, absolute: 1e-6 * terms, "weight, \(test)")
    }
  }

  func testGradientsThroughANormMatchDifferences() throws {
    let cases = [
      Conv2DCase(
        batch: 2, height: 5, width: 4, inputs: 3, outputs: 5, kernelSize: 3, stride: 2, padding: 1),
      Conv2DCase(
        batch: 2, height: 5, width: 6, inputs: 32, outputs: 32, kernelSize: 3, padding: 1,
        algorithm: .winograd),
    ]
    for test in cases.map({ $0.normalizingInput() }) {
      let (values, norm) = try XCTUnwrap(test.source)
      let (masked, gradients) = test.backwardInputThroughNorm()
      let scale = zip(norm.weight, norm.inverseStd).map { $0 * $1 }
      // The outputs are linear in each argument, away from the kinks of LeakyReLU: what remains is
      // the rounding of the outputs.
      let step: Float = 1e-2
      assertGradient(
        masked.values.indices.map { masked.values[$0] * scale[$0 % scale.count] },
        of: { test.loss($0, norm) }, at: values, step: step, sampleLimit: 24, "input, \(test)")
      assertGradient(
        gradients.first,
        of: {
          var changed = norm
          changed.bias = $0
          return test.loss(values, changed)
        }, at: norm.bias, step: step, sampleLimit: 24, "bias, \(test)")
      assertGradient(
        gradients.second,
        of: {
          var changed = norm
          changed.weight = $0
          return test.loss(values, changed)
        }, at: norm.weight, step: step, sampleLimit: 24, "weight, \(test)")
      assertGradient(
        test.backwardWeight().values,
        of: {
          var changed = test
          changed.reference.weight = $0
          return changed.loss(values, norm)
        }, at: test.reference.weight, step: 0.5, sampleLimit: 24, "kernel, \(test)")
    }
  }

  func testResultsAreBitwiseTheSameForAnyNumberOfThreads() {
    let pool = WorkerPool.shared
    let threadCount = pool.threadCount
    defer { pool.threadCount = threadCount }
    let cases = Conv2DCase.chunked + Conv2DCase.winograd.map(\.winograd).suffix(9)
    for test in cases.map({ $0.normalizingInput() }) {
      var plain = test
      plain.reference.slope = 1
      var expected: [Data]?
      for threads in [1, 2, 3, 5] {
        pool.threadCount = threads
        let (output, moments) = plain.forwardTakingMoments()
        let (masked, gradients) = test.backwardInputThroughNorm()
        let written = [
          output, test.backwardWeight(), masked, test.backwardInput(adding: test.reference.input),
        ]
        XCTAssertTrue(written.allSatisfy(\.isIntact), "\(threads) threads, \(test)")
        let actual = written.map(\.bytes) + [moments.bytes, gradients.bytes]
        XCTAssertTrue(actual == expected ?? actual, "\(threads) threads, \(test)")
        expected = actual
      }
    }
  }

  func testEmptyBatchesHaveEmptySums() {
    for channels in [32, 256] {
      for algorithm in [Conv2DAlgorithm.winograd, .gemm] {
        let test = Conv2DCase(
          batch: 0, height: 5, width: 5, inputs: channels, outputs: channels, kernelSize: 3,
          padding: 1, algorithm: algorithm
        ).normalizingInput()
        XCTAssertEqual(test.convolution.momentGroups, 0)
        XCTAssertEqual(test.convolution.gradientGroups, 0)
        let (masked, gradients) = test.backwardInputThroughNorm()
        XCTAssertEqual(masked.values, [])
        XCTAssertTrue((gradients.first + gradients.second).allSatisfy { $0 == 0 }, "\(test)")
        XCTAssertTrue(test.backwardWeight().values.allSatisfy { $0 == 0 }, "\(test)")
      }
    }
  }

  // MARK: Support

  /// dBias and dWeight, and the largest sum of the sizes of the terms of any.
  private func naiveGradients(
    _ gradient: [Float], _ values: [Float], _ norm: ChannelValues
  ) -> (dBias: [Float], dWeight: [Float], terms: Double) {
    let channels = norm.mean.count
    var dBias = [Double](repeating: 0, count: channels)
    var (dWeight, terms) = (dBias, dBias)
    for (i, g) in gradient.enumerated() {
      let c = i % channels
      let deviation = (Double(values[i]) - Double(norm.mean[c])) * Double(norm.inverseStd[c])
      dBias[c] += Double(g)
      dWeight[c] += Double(g) * deviation
      terms[c] += Double(g.magnitude) * max(1, deviation.magnitude)
    }
    return (dBias.map(Float.init), dWeight.map(Float.init), terms.max() ?? 0)
  }
}

extension Conv2DCase {
  /// Σ output · dOutput with another source or another norm.
  fileprivate func loss(_ values: [Float], _ norm: ChannelValues) -> Double {
    var changed = self
    changed.use(values, norm)
    return weightedSum(changed.forward().values.map(Double.init), reference.dOutput)
  }
}
