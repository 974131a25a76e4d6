import Foundation
import SKDTestSupport

@testable import SKDKernels

/// The passes that also do what comes before or after a convolution.
extension Conv2DCase {
  static let allNormalizing = all.map { $0.normalizingInput() }

  /// The same convolution of an input that a batch norm and LeakyReLU make as it is read.
  ///
  /// No value before the activation is within 0.05 of 0: rounding cannot change its sign, nor can the
  /// steps of differences.
  func normalizingInput(slope: Float = 0.1) -> Conv2DCase {
    let norm = ChannelValues.general("norm", channels: reference.inputs, slope: slope)
    let normalized = reference.input.map { $0 + ($0 < 0 ? -0.05 : 0.05) }
    var test = self
    test.use(norm.source(of: normalized), norm)
    return test
  }

  /// Takes another source, and what it makes of it as the input.
  mutating func use(_ values: [Float], _ norm: ChannelValues) {
    source = (values, norm)
    reference.input = norm.normalized(values).map { Float(norm.activated($0)) }
  }

  /// Sums over a batch for every channel, as `merge` makes them of the records of groups.
  struct Sums {
    var first, second: [Float]
    var bytes: Data { (first + second).withUnsafeBytes { Data($0) } }

    fileprivate init(
      of memory: GuardedBuffer, channels: Int,
      _ merge: (_ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>) -> Void
    ) {
      first = [Float](repeating: .nan, count: channels)
      second = first
      withExtendedLifetime(memory) { merge(&first, &second) }
    }
  }

  /// The outputs, and their mean and variance.
  func forwardTakingMoments() -> (output: Result, moments: Sums) {
    let (groups, channels) = (convolution.momentGroups, reference.outputs)
    let memory = GuardedBuffer(count: ChannelSumRecords.count(groups: groups, channels: channels))
    let records = ChannelSumRecords(memory.pointer, groups: groups, channels: channels)
    let output = forward(moments: (memory, records))
    let moments = Sums(of: memory, channels: channels) { mean, variance in
      mergeMoments(
        records, of: output.values, rows: output.values.count / channels, mean: mean,
        variance: variance)
    }
    return (output, moments)
  }

  func backwardInput(adding addend: [Float]) -> Result {
    let addend = GuardedBuffer(addend)
    var result = backwardInput(use: .sum(addend.pointer))
    result.isIntact = result.isIntact && addend.isIntact
    return result
  }

  /// The gradient before the activation of `source`, and the gradients of the norm's bias and weight.
  func backwardInputThroughNorm() -> (masked: Result, gradients: Sums) {
    guard let source else { fatalError("\(self) has no norm before it") }
    let (groups, channels) = (convolution.gradientGroups, reference.inputs)
    let memory = GuardedBuffer(count: ChannelSumRecords.count(groups: groups, channels: channels))
    let records = ChannelSumRecords(memory.pointer, groups: groups, channels: channels)
    let values = GuardedBuffer(source.values)
    let guarded = GuardedChannelValues(source.norm)
    var masked = withExtendedLifetime(guarded) {
      backwardInput(
        use: .throughNorm(
          of: values.pointer, guarded.normalization, records: records))
    }
    masked.isIntact =
      masked.isIntact && ([memory, values] + guarded.buffers).allSatisfy(\.isIntact)
    let gradients = Sums(of: memory, channels: channels) { dBias, dWeight in
      mergeGradientSums(
        records, inverseStd: source.norm.inverseStd, dWeight: dWeight, dBias: dBias)
    }
    return (masked, gradients)
  }
}
