import SKDTestSupport
import XCTest

@testable import SKDKernels

/// The end of a residual block with values, run by the kernel in guarded memory that starts out NaN,
/// and from the formula in Double.
struct ResidualTailCase: CustomStringConvertible {
  let shape: ImageShape
  /// Whether the block ends in a maximum pool.
  var pools = true
  let slope: Float
  var main: Branch
  var side: Branch
  var dOutput: [Float]

  /// One of the two that are added; normalised if it has statistics.
  struct Branch {
    var values: [Float]
    var normalization: ChannelValues?
  }

  var description: String {
    "\(shape.batch)x\(shape.height)x\(shape.width), \(shape.channels) channels, slope \(slope), "
      + "pools: \(pools), normalises main: \(main.normalization != nil), side: \(side.normalization != nil)"
  }

  /// Values whose sums and products float32 holds exactly, so that ties are ties whatever the order
  /// of operations: multiples of 1/4, scaled by powers of two.
  static func exact(
    _ shape: ImageShape, pools: Bool = true, normalizesMain: Bool, normalizesSide: Bool
  ) -> Self {
    func branch(_ name: String, _ normalizes: Bool) -> Branch {
      Branch(
        values: quarters(name, shape.count),
        normalization: normalizes ? .exact(name, channels: shape.channels) : nil)
    }
    return Self(
      shape: shape, pools: pools, slope: 0.25, main: branch("main", normalizesMain),
      side: branch("side", normalizesSide),
      dOutput: quarters("dOutput", (pools ? shape.pooled : shape).count))
  }

  var outputShape: ImageShape { pools ? shape.pooled : shape }

  private static func quarters(_ name: String, _ count: Int) -> [Float] {
    SKDKernelsTests.values(name, count).map { ($0 * 4).rounded(.down) / 4 }
  }

  // MARK: The kernel

  /// What the backward pass wrote. Sums are nil for a branch that is not normalised.
  struct Gradients {
    var dSum: [Float]
    var main, side: Sums?

    struct Sums: Equatable { var dWeight, dBias: [Float] }
  }

  func forward() -> (output: [Float], isIntact: Bool) {
    withKernel { pool, buffers in
      XCTAssertEqual(pool.outputShape, outputShape)
      let output = GuardedBuffer(count: outputShape.count)
      pool.forward(output.pointer)
      return (output.values, (buffers + [output]).allSatisfy(\.isIntact))
    }
  }

  func backward() -> (gradients: Gradients, isIntact: Bool) {
    withKernel { pool, buffers in
      let count = ChannelSumRecords.count(groups: pool.groups, channels: shape.channels)
      let memory = [main, side].map { branch in
        branch.normalization.map { _ in GuardedBuffer(count: count) }
      }
      let records = memory.map { memory in
        memory.map {
          ChannelSumRecords($0.pointer, groups: pool.groups, channels: shape.channels)
        }
      }
      let (dOutput, dSum) = (GuardedBuffer(dOutput), GuardedBuffer(count: shape.count))
      pool.backward(
        dOutput.pointer, dSum: dSum.pointer, mainRecords: records[0], sideRecords: records[1])
      let isIntact = (buffers + [dOutput, dSum] + memory.compactMap(\.self))
        .allSatisfy(\.isIntact)
      let gradients = Gradients(
        dSum: dSum.values,
        main: sums(records[0], main.normalization), side: sums(records[1], side.normalization))
      return withExtendedLifetime(memory) { (gradients, isIntact) }
    }
  }

  private func sums(
    _ records: ChannelSumRecords?, _ normalization: ChannelValues?
  ) -> Gradients.Sums? {
    guard let records, let normalization else { return nil }
    var dWeight = [Float](repeating: .nan, count: shape.channels)
    var dBias = dWeight
    mergeGradientSums(
      records, inverseStd: normalization.inverseStd, dWeight: &dWeight, dBias: &dBias)
    return Gradients.Sums(dWeight: dWeight, dBias: dBias)
  }

  /// Calls `body` with the kernel and the memory that it must leave alone.
  private func withKernel<Result>(_ body: (any ResidualTail, [GuardedBuffer]) -> Result) -> Result {
    let values = [main, side].map { GuardedBuffer($0.values) }
    let parameters = [main, side].map { $0.normalization.map(GuardedChannelValues.init) }
    return withExtendedLifetime((values, parameters)) {
      let tail = tail(
        main: values[0].pointer, parameters[0]?.normalization, side: values[1].pointer,
        parameters[1]?.normalization)
      return body(tail, values + parameters.flatMap { $0?.buffers ?? [] })
    }
  }

  func tail(
    main: UnsafePointer<Float>, _ mainNormalization: ChannelNormalization?,
    side: UnsafePointer<Float>, _ sideNormalization: ChannelNormalization?
  ) -> any ResidualTail {
    let branches = ResidualBranches(
      shape: shape, slope: slope, main: main, mainNormalization: mainNormalization, side: side,
      sideNormalization: sideNormalization)
    return pools ? ResidualPool(branches) : ResidualSum(branches)
  }

  // MARK: The formula

  /// Each window's largest activated sum of branches, and where in the batch it lies. Without
  /// pooling every position is a window.
  func naiveForward(main: [Double], side: [Double]) -> (output: [Double], winners: [Int]) {
    let activated = zip(main, side).map { main, side in
      main + side > 0 ? main + side : Double(slope) * (main + side)
    }
    guard pools else { return (activated, Array(activated.indices)) }
    var (output, winners): ([Double], [Int]) = ([], [])
    for row in 0..<shape.pooled.batch * shape.pooled.height {
      let (n, i) = row.quotientAndRemainder(dividingBy: shape.pooled.height)
      for j in 0..<shape.pooled.width {
        for c in 0..<shape.channels {
          let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map { a, b in
            ((n * shape.height + 2 * i + a) * shape.width + 2 * j + b) * shape.channels + c
          }
          var best = window[0]
          for entry in window where activated[entry] > activated[best] { best = entry }
          output.append(activated[best])
          winners.append(best)
        }
      }
    }
    return (output, winners)
  }

  func naiveForward() -> (output: [Double], winners: [Int]) {
    naiveForward(main: main.normalized, side: side.normalized)
  }

  func naiveBackward() -> Gradients {
    let (output, winners) = naiveForward()
    var dSum = [Float](repeating: 0, count: shape.count)
    for (window, winner) in winners.enumerated() {
      dSum[winner] = output[window] > 0 ? dOutput[window] : slope * dOutput[window]
    }
    func sums(_ branch: Branch) -> Gradients.Sums? {
      branch.normalization?.naiveSums(of: dSum, branch.values)
    }
    return Gradients(dSum: dSum, main: sums(main), side: sums(side))
  }
}

extension ResidualTailCase.Branch {
  /// The values as they are added.
  var normalized: [Double] { normalization?.normalized(values) ?? values.map(Double.init) }
}

extension ChannelValues {
  /// Gradients of weight and bias, one position at a time.
  func naiveSums(of gradient: [Float], _ input: [Float]) -> ResidualTailCase.Gradients.Sums {
    var dWeight = [Double](repeating: 0, count: mean.count)
    var dBias = dWeight
    for i in gradient.indices where gradient[i] != 0 {
      let c = i % mean.count
      dBias[c] += Double(gradient[i])
      dWeight[c] += Double(gradient[i]) * (Double(input[i]) - Double(mean[c]))
    }
    return ResidualTailCase.Gradients.Sums(
      dWeight: zip(dWeight, inverseStd).map { Float($0 * Double($1)) },
      dBias: dBias.map(Float.init))
  }
}
