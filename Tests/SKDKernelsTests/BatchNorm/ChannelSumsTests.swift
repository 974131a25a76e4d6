import SKDTestSupport
import XCTest

@testable import SKDKernels

/// Merging the sums of groups; how groups are summed up is tested with their kernels.
final class ChannelSumsTests: XCTestCase {
  /// Groups may be empty, first, last or in between; the others differ in size.
  func testMomentsOfUnequalGroupsMatchNaiveReference() {
    for sizes in [[5], [1, 7], [0, 300, 1, 0, 64], [0, 0, 2, 449, 0], [33, 33, 33]] {
      for channels in [1, 15, 16, 17] {
        for offset in [0, 64] as [Float] {
          let groups = sizes.enumerated().map { group, rows in
            values("group\(group)", rows * channels).map { $0 + offset + Float(group) }
          }
          let (mean, variance) = merge(channels: channels, groups: groups.count) { sums, group in
            if sizes[group] == 0 {
              sums.open(count: 0, channels: 0..<channels)
            } else {
              sums.addMoments(groups[group], rows: sizes[group], channels: channels)
            }
          }
          let expected = naiveMoments(groups.flatMap(\.self), channels: channels)
          let name = "\(sizes) rows, \(channels) channels + \(offset)"
          assertClose(mean, expected.mean.map(Float.init), relative: 1.2e-7, name)
          assertClose(variance, expected.variance.map(Float.init), relative: 1e-6, name)
        }
      }
    }
  }

  func testTheShiftOfAGroupDoesNotMatter() {
    let input = (0..<50).map { Float($0 % 7) }  // small integers: every sum is exact
    let expected = naiveMoments(input, channels: 1)
    for shift in [0, 3, -5, 100] as [Float] {
      let (mean, variance) = merge(channels: 1, groups: 1) { sums, _ in
        sums.set(input.map { $0 - shift }, shift: shift)
      }
      XCTAssertEqual(mean, [Float(expected.mean[0])], "shift \(shift)")
      assertClose(variance, [Float(expected.variance[0])], relative: 1.2e-7, "shift \(shift)")
    }
  }

  func testAVarianceThatOverflowsIsNaN() {
    // Within a group, and between groups that have none.
    XCTAssertTrue(moments([[1e30, -1e30]]).variance.isNaN)
    XCTAssertTrue(moments([[0, 1], [1e30, -1e30], [2, 3]]).variance.isNaN)
    XCTAssertTrue(moments([[1e25, 1e25], [-1e25, -1e25]]).variance.isNaN)
    XCTAssertTrue(moments([[1, .infinity]]).variance.isNaN)
    // The unbiased variance of two values, twice the biased one, must be finite too.
    XCTAssertTrue(moments([[1.5e19, -1.5e19]]).variance.isNaN)
  }

  func testAVarianceThatIsJustLargeIsRight() {
    XCTAssertEqual(moments([[1e18, 1e18], [-1e18, -1e18]]).variance, 1e36)
    // Their squares add up to more than the largest float.
    for rows in [400, 512, 2_000] {
      let values = (0..<rows).map { $0 % 2 == 0 ? 4e18 : -2e18 as Float }
      let (mean, variance) = moments([values, [4e18, -2e18]])
      XCTAssertEqual(mean, 1e18, "\(rows) rows")
      XCTAssertEqual(variance, 9e36, "\(rows) rows")
      let sums = summedParts(1, 1, of: values, by: sumMoments) { sums, _ in
        sums.addMoments(values, rows: rows, channels: 1)
      }
      XCTAssertEqual(sums[0], 1e18 * Double(rows), accuracy: 1e12 * Double(rows), "\(rows) rows")
      XCTAssertEqual(sums[1], 1e37 * Double(rows), accuracy: 1e31 * Double(rows), "\(rows) rows")
    }
  }

  func testAnOverflowStaysInItsChannel() {
    let input: [Float] = [1e30, 1, -1e30, 3]
    let (mean, variance) = merge(channels: 2, groups: 1, of: input) { sums, _ in
      sums.addMoments(input, rows: 2, channels: 2)
    }
    XCTAssertTrue(variance[0].isNaN)
    XCTAssertEqual([mean[1], variance[1]], [2, 1])
  }

  /// With a shift far from the values, squares cancel, and rounding decides on the sign.
  func testVarianceOfEqualValuesIsNeverNegative() {
    for value in [0.1, -3.7, 1e-3, 1e4, 0.3] as [Float] {
      for rows in [2, 3, 7, 112, 449] {
        for shift in [0, 0.7, value] {
          let (mean, variance) = merge(channels: 1, groups: 3) { sums, _ in
            sums.set([Float](repeating: value - shift, count: rows), shift: shift)
          }
          let name = "\(rows) times \(value), shift \(shift)"
          XCTAssertGreaterThanOrEqual(variance[0], 0, name)
          // Up to 449 sums, each rounded to half a unit in the last place.
          let unit = 449 * 6e-8 * (value.magnitude + shift.magnitude)
          XCTAssertEqual(mean[0], value, accuracy: unit, name)
          XCTAssertLessThanOrEqual(variance[0], 2 * unit * (value - shift).magnitude, name)
        }
      }
    }
  }

  func testGradientSumsAddUpOverGroups() {
    let (channels, groups) = (17, 5)
    let gradients = (0..<groups).map { values("gradient\($0)", ($0 + 1) * channels) }
    let inputs = (0..<groups).map { values("input\($0)", ($0 + 1) * channels) }
    let norm = ChannelValues.general("norm", channels: channels, slope: 1)
    let guarded = GuardedChannelValues(norm)
    let (dWeight, dBias) = merge(channels: channels, groups: groups) { sums, group in
      sums.addGradient(
        gradients[group], of: inputs[group], rows: group + 1, channels: channels,
        guarded.normalization, masked: nil)
    } by: { records, dWeight, dBias in
      mergeGradientSums(
        records, inverseStd: norm.inverseStd, dWeight: dWeight, dBias: dBias)
    }
    XCTAssertTrue(guarded.buffers.allSatisfy(\.isIntact))
    let (gradient, input) = (gradients.flatMap(\.self), inputs.flatMap(\.self))
    let expected = norm.naiveSums(of: gradient, input)
    assertClose(dWeight, expected.dWeight, relative: 1e-6)
    assertClose(dBias, expected.dBias, relative: 1e-6)
  }

  /// Each part sums up its groups; what adds up over the parts gives what all groups give.
  func testSumsOfPartsAddUpToThoseOfTheWhole() {
    let (channels, sizes) = (17, [5, 64, 1, 300])
    for offset in [0, 50] as [Float] {
      let groups = sizes.enumerated().map { group, rows in
        values("group\(group)", rows * channels).map { $0 + offset + Float(group) }
      }
      let norm = ChannelValues.general("norm", channels: channels, slope: 0.1)
      let guarded = GuardedChannelValues(norm)
      let gradients = sizes.enumerated().map { values("gradient\($0)", $1 * channels) }
      let (rows, inverseStd) = (sizes.reduce(0, +), norm.inverseStd)

      let whole = merge(channels: channels, groups: 4) { sums, group in
        sums.addMoments(groups[group], rows: sizes[group], channels: channels)
      }
      let moments = summedParts(channels, sizes.count, of: [], by: sumMoments) { sums, group in
        sums.addMoments(groups[group], rows: sizes[group], channels: channels)
      }
      var mean = [Float](repeating: .nan, count: channels)
      var variance = mean
      batchNormStatistics(
        ofSums: moments, rows: rows, channels: channels, mean: &mean, variance: &variance)
      assertClose(mean, whole.mean, relative: 1.2e-7, "mean + \(offset)")
      assertClose(variance, whole.variance, relative: 1.2e-7, "variance + \(offset)")

      let add = { (sums: ChannelSums, group: Int) in
        sums.addGradient(
          gradients[group], of: groups[group], rows: sizes[group], channels: channels,
          guarded.normalization, masked: nil)
      }
      let expected = merge(channels: channels, groups: 4, add) { records, dWeight, dBias in
        mergeGradientSums(
          records, inverseStd: inverseStd, dWeight: dWeight, dBias: dBias)
      }
      var dWeight = [Float](repeating: .nan, count: channels)
      var dBias = dWeight
      batchNormGradients(
        ofSums: summedParts(channels, sizes.count, by: sumGradients, add), channels: channels,
        inverseStd: inverseStd, dWeight: &dWeight, dBias: &dBias)
      // Doubles that are added in another order differ before they are rounded.
      assertClose(dWeight, expected.0, relative: 1.2e-7, "dWeight + \(offset)")
      assertClose(dBias, expected.1, relative: 1.2e-7, "dBias + \(offset)")
    }
  }

  func testStatisticsOfSumsThatOverflowAreNaNAndOfEqualValuesNotNegative() {
    var (mean, variance): ([Float], [Float]) = ([0, 0, 0], [0, 0, 0])
    let value = Double(Float(0.1))
    let squares = 3 * value * value
    batchNormStatistics(
      ofSums: [0, 0, 3 * value, 3e60, .infinity, squares.nextDown], rows: 3, channels: 3,
      mean: &mean, variance: &variance)
    XCTAssertTrue(variance[0].isNaN)
    XCTAssertTrue(variance[1].isNaN)
    XCTAssertEqual(mean[2], 0.1)
    XCTAssertGreaterThanOrEqual(variance[2], 0)
    XCTAssertLessThan(variance[2], 1e-15)
  }

  // MARK: Support

  /// The sums of parts that have one group each, added up.
  ///
  /// - Parameter input: What is read where sums overflow.
  private func summedParts(
    _ channels: Int, _ parts: Int, of input: [Float],
    by sum: (ChannelSumRecords, UnsafePointer<Float>, Int, UnsafeMutablePointer<Double>) -> Void,
    _ add: (ChannelSums, _ group: Int) -> Void
  ) -> [Double] {
    summedParts(channels, parts) { records, sums in
      sum(records, input, input.count / channels, sums)
    } _: {
      add($0, $1)
    }
  }

  private func summedParts(
    _ channels: Int, _ parts: Int,
    by sum: (ChannelSumRecords, UnsafeMutablePointer<Double>) -> Void,
    _ add: (ChannelSums, _ group: Int) -> Void
  ) -> [Double] {
    (0..<parts).reduce([Double](repeating: 0, count: 2 * channels)) { total, part in
      let memory = GuardedBuffer(count: ChannelSumRecords.count(groups: 1, channels: channels))
      let records = ChannelSumRecords(memory.pointer, groups: 1, channels: channels)
      add(records[0], part)
      var sums = [Double](repeating: .nan, count: 2 * channels)
      sum(records, &sums)
      XCTAssertTrue(memory.isIntact)
      return zip(total, sums).map { $0 + $1 }
    }
  }

  /// - Parameter input: What is read where sums overflow.
  private func merge(
    channels: Int, groups: Int, of input: [Float] = [],
    _ add: (ChannelSums, _ group: Int) -> Void
  ) -> (mean: [Float], variance: [Float]) {
    merge(channels: channels, groups: groups, add) { records, mean, variance in
      mergeMoments(
        records, of: input, rows: input.count / channels, mean: mean, variance: variance)
    }
  }

  /// Mean and variance of one channel.
  private func moments(_ groups: [[Float]]) -> (mean: Float, variance: Float) {
    let (mean, variance) = merge(channels: 1, groups: groups.count, of: groups.flatMap(\.self)) {
      $0.addMoments(groups[$1], rows: groups[$1].count, channels: 1)
    }
    return (mean[0], variance[0])
  }

  /// Adds up each group in memory that starts out NaN, and merges them.
  private func merge(
    channels: Int, groups: Int, _ add: (ChannelSums, _ group: Int) -> Void,
    by merge: (
      _ records: ChannelSumRecords, _ first: UnsafeMutablePointer<Float>,
      _ second: UnsafeMutablePointer<Float>
    ) -> Void
  ) -> ([Float], [Float]) {
    let memory = GuardedBuffer(count: ChannelSumRecords.count(groups: groups, channels: channels))
    let records = ChannelSumRecords(memory.pointer, groups: groups, channels: channels)
    for group in 0..<groups { add(records[group], group) }
    var first = [Float](repeating: .nan, count: channels)
    var second = first
    merge(records, &first, &second)
    XCTAssertTrue(memory.isIntact)
    return (first, second)
  }
}

extension ChannelSums {
  /// The moments of one channel's differences from a shift, added up one by one in float32.
  fileprivate func set(_ differences: [Float], shift: Float) {
    open(count: differences.count, channels: 0..<1)
    self.shift[0] = shift
    for difference in differences {
      first[0] += difference
      second[0] += difference * difference
    }
  }
}
