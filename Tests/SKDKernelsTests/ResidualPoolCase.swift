import SKDTestSupport

@testable import SKDKernels

/// The end of a residual block with values, run by the kernel in guarded memory that starts out NaN,
/// and from the formula in Double.
struct ResidualPoolCase: CustomStringConvertible {
  let shape: ImageShape
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
      + "normalises main: \(main.normalization != nil), side: \(side.normalization != nil)"
  }

  /// Values whose sums and products float32 holds exactly, so that ties are ties whatever the order
  /// of operations: multiples of 1/4, scaled by powers of two.
  static func exact(_ shape: ImageShape, normalizesMain: Bool, normalizesSide: Bool) -> Self {
    func branch(_ name: String, _ normalizes: Bool) -> Branch {
      Branch(
        values: quarters(name, shape.count),
        normalization: normalizes ? .exact(name, channels: shape.channels) : nil)
    }
    return Self(
      shape: shape, slope: 0.25, main: branch("main", normalizesMain),
      side: branch("side", normalizesSide), dOutput: quarters("dOutput", shape.pooled.count))
  }

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
      let output = GuardedBuffer(count: shape.pooled.count)
      pool.forward(output.pointer)
      return (output.values, (buffers + [output]).allSatisfy(\.isIntact))
    }
  }

  func backward() -> (gradients: Gradients, isIntact: Bool) {
    withKernel { pool, buffers in
      let count = channelSumsCount(groups: pool.groups, channels: shape.channels)
      let records = [main, side].map { branch in
        branch.normalization.map { _ in GuardedBuffer(count: count) }
      }
      let (dOutput, dSum) = (GuardedBuffer(dOutput), GuardedBuffer(count: shape.count))
      pool.backward(
        dOutput.pointer, dSum: dSum.pointer, mainRecords: records[0]?.pointer,
        sideRecords: records[1]?.pointer)
      let isIntact = (buffers + [dOutput, dSum] + records.compactMap(\.self))
        .allSatisfy(\.isIntact)
      let gradients = Gradients(
        dSum: dSum.values,
        main: sums(records[0], groups: pool.groups, main.normalization),
        side: sums(records[1], groups: pool.groups, side.normalization))
      return (gradients, isIntact)
    }
  }

  private func sums(
    _ records: GuardedBuffer?, groups: Int, _ normalization: ChannelValues?
  ) -> Gradients.Sums? {
    guard let records, let normalization else { return nil }
    var dWeight = [Float](repeating: .nan, count: shape.channels)
    var dBias = dWeight
    withExtendedLifetime(records) {
      mergeGradientSums(
        records.pointer, groups: groups, channels: shape.channels,
        inverseStd: normalization.inverseStd, dWeight: &dWeight, dBias: &dBias)
    }
    return Gradients.Sums(dWeight: dWeight, dBias: dBias)
  }

  /// Calls `body` with the kernel and the memory that it must leave alone.
  private func withKernel<Result>(_ body: (ResidualPool, [GuardedBuffer]) -> Result) -> Result {
    let values = [main, side].map { GuardedBuffer($0.values) }
    let parameters = [main, side].map { $0.normalization.map(GuardedChannelValues.init) }
    let pool = ResidualPool(
      shape: shape, slope: slope, main: values[0].pointer,
      mainNormalization: parameters[0]?.normalization, side: values[1].pointer,
      sideNormalization: parameters[1]?.normalization)
    return withExtendedLifetime((values, parameters)) {
      body(pool, values + parameters.flatMap { $0?.buffers ?? [] })
    }
  }

  // MARK: The formula

  /// Each window's largest activated sum of branches, and where in the batch it lies.
  static func naiveForward(
    _ shape: ImageShape, slope: Float, main: [Double], side: [Double]
  ) -> (output: [Double], winners: [Int]) {
    let activated = zip(main, side).map { main, side in
      main + side > 0 ? main + side : Double(slope) * (main + side)
    }
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
    Self.naiveForward(shape, slope: slope, main: main.normalized, side: side.normalized)
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

extension ResidualPoolCase.Branch {
  /// The values as they are added.
  var normalized: [Double] { normalization?.normalized(values) ?? values.map(Double.init) }
}

extension ChannelValues {
  /// Gradients of weight and bias, one position at a time.
  func naiveSums(of gradient: [Float], _ input: [Float]) -> ResidualPoolCase.Gradients.Sums {
    var dWeight = [Double](repeating: 0, count: mean.count)
    var dBias = dWeight
    for i in gradient.indices where gradient[i] != 0 {
      let c = i % mean.count
      dBias[c] += Double(gradient[i])
      dWeight[c] += Double(gradient[i]) * (Double(input[i]) - Double(mean[c]))
    }
    return ResidualPoolCase.Gradients.Sums(
      dWeight: zip(dWeight, inverseStd).map { Float($0 * Double($1)) },
      dBias: dBias.map(Float.init))
  }
}
