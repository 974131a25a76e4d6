import CLibrary
import SKDKernels
import SKDRuntime

/// The state of a network: all parameters in one contiguous buffer, all gradients in another of
/// the same layout, running statistics and counters in two more.
///
/// Layers declare their entries while the network is built; `allocate` then gives them memory,
/// whose addresses never change.
public final class ParameterStore {
  /// Precision in which the layers multiply the parameters, which are float32 themselves.
  public let precision: Precision
  /// Ledger in which the memory of state and layers is entered instead of being allocated.
  let ledger: MemoryLedger?
  public private(set) var entries: [StateEntry] = []
  public private(set) var parameters: AlignedBuffer<Float>
  public private(set) var gradients: AlignedBuffer<Float>
  public private(set) var buffers: AlignedBuffer<Float>
  public private(set) var counters: AlignedBuffer<Int64>
  private var sizes: [StateKind: Int] = [:]

  /// Changes whenever parameters or running statistics do; folded weights are cached by it.
  public private(set) var version = 1

  public init(precision: Precision = .float32, ledger: MemoryLedger? = nil) throws {
    self.precision = precision
    self.ledger = ledger
    parameters = try AlignedBuffer(count: 0, ledger: ledger)
    gradients = try AlignedBuffer(count: 0, ledger: ledger)
    buffers = try AlignedBuffer(count: 0, ledger: ledger)
    counters = try AlignedBuffer(count: 0, ledger: ledger)
  }

  /// Trainable scalars.
  public var parameterCount: Int {
    entries.reduce(0) { $1.kind == .parameter ? $0 + $1.count : $0 }
  }

  /// Floats of the parameter buffer, with the padding that aligns its entries.
  public var parameterStorageCount: Int { sizes[.parameter, default: 0] }

  public func markChanged() { version += 1 }

  // MARK: Declaring

  /// Declares a convolution's weight: PyTorch's OIHW, stored HWIO.
  func convolutionWeight(
    _ name: String, inputs: Int, outputs: Int, kernelSize k: Int, initializer: Initializer
  ) -> StateEntry {
    declare(
      name, .parameter, shape: [outputs, inputs, k, k],
      strides: [1, outputs, k * inputs * outputs, inputs * outputs], initializer)
  }

  /// Declares a linear layer's weight: PyTorch's [output, input], stored [input][output].
  func linearWeight(_ name: String, inputs: Int, outputs: Int, initializer: Initializer)
    -> StateEntry
  {
    declare(name, .parameter, shape: [outputs, inputs], strides: [1, outputs], initializer)
  }

  /// Declares a vector that is trained.
  func vector(_ name: String, count: Int, initializer: Initializer) -> StateEntry {
    declare(name, .parameter, shape: [count], strides: [1], initializer)
  }

  /// Declares running statistics.
  func buffer(_ name: String, count: Int, initial: Float) -> StateEntry {
    declare(name, .buffer, shape: [count], strides: [1], .constant(initial))
  }

  /// Declares a counter, at first 0.
  func counter(_ name: String) -> StateEntry {
    declare(name, .counter, shape: [], strides: [], .constant(0))
  }

  private func declare(
    _ name: String, _ kind: StateKind, shape: [Int], strides: [Int], _ initializer: Initializer
  ) -> StateEntry {
    let offset = sizes[kind, default: 0]
    let entry = StateEntry(
      name: name, kind: kind, shape: shape, strides: strides, initializer: initializer,
      offset: offset, store: self)
    // Whole vectors of 16 keep every entry aligned; a convolution's bias is read in blocks of 32.
    sizes[kind] = offset + (entry.count + 31) / 32 * 32
    entries.append(entry)
    return entry
  }

  // MARK: Values

  /// Gives the declared entries memory and their first values.
  ///
  /// - Parameter seed: Seed of the initial weights; nil leaves all state zero, for a caller that loads it.
  /// - Throws: `SKDError.outOfMemory`.
  func allocate(seed: UInt64?) throws {
    if ledger == nil {
      let floats = 2 * sizes[.parameter, default: 0] + sizes[.buffer, default: 0]
      try MachineMemory.require(4 * floats, for: "a model of \(parameterCount) parameters")
    }
    parameters = try AlignedBuffer(count: sizes[.parameter, default: 0], ledger: ledger)
    gradients = try AlignedBuffer(count: sizes[.parameter, default: 0], ledger: ledger)
    buffers = try AlignedBuffer(count: sizes[.buffer, default: 0], ledger: ledger)
    counters = try AlignedBuffer(count: sizes[.counter, default: 0], ledger: ledger)
    guard ledger == nil, let seed else { return }
    for (number, entry) in entries.enumerated() where entry.kind != .counter {
      initialize(
        entry, CounterRandom(seed: seed, purpose: .initialization, index: number))
    }
  }

  private func initialize(_ entry: StateEntry, _ random: CounterRandom) {
    let values = entry.values
    switch entry.initializer {
    case .constant(let value):
      values.update(repeating: value, count: entry.count)
    case .uniform(let bound):
      for i in 0..<entry.count { values[i] = bound * (2 * random.uniform(at: i) - 1) }
    case .normal(let standardDeviation):
      let chunk = 4096
      WorkerPool.shared.forEach((entry.count + chunk - 1) / chunk) { number, _ in
        for i in number * chunk..<min((number + 1) * chunk, entry.count) {
          values[i] = standardDeviation * gaussian(random.words(at: i))
        }
      }
    }
  }

  /// The parts of the storage that hold parameters with a gradient, neighbours joined.
  ///
  /// - Parameter numbers: Numbers of the entries to look at; nil for all.
  func gradientRanges(of numbers: Range<Int>? = nil) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for entry in entries[numbers ?? 0..<entries.count] where entry.hasGradient {
      if let last = ranges.last, entry.offset - last.upperBound < 32 {
        ranges[ranges.count - 1] = last.lowerBound..<entry.offset + entry.count
      } else {
        ranges.append(entry.offset..<entry.offset + entry.count)
      }
    }
    return ranges
  }

  /// Copies all state from a store of the same network configuration.
  func copyState(from other: ParameterStore) {
    parameters.pointer.update(from: other.parameters.pointer, count: parameters.capacity)
    buffers.pointer.update(from: other.buffers.pointer, count: buffers.capacity)
    counters.pointer.update(from: other.counters.pointer, count: counters.capacity)
    markChanged()
  }
}

/// A standard normal number, by Box and Muller's transform.
private func gaussian(_ words: SIMD4<UInt32>) -> Float {
  let u = (Double(words[0]) + 1) * 0x1p-32
  let v = Double(words[1]) * 0x1p-32
  return Float((-2 * log(u)).squareRoot() * cos(2 * .pi * v))
}
