import SKDRuntime

/// Kind of a state-dict entry.
public enum StateKind: Sendable {
  /// Trained by gradient descent.
  case parameter
  /// Running statistics.
  case buffer
  /// An integer that counts passes.
  case counter
}

/// One entry of a state dict, with its place in the network's storage.
///
/// `shape` is PyTorch's; `strides` say, in elements, where the entry's values lie in the storage,
/// whose order suits the kernels.
public final class StateEntry {
  public let name: String
  public let kind: StateKind
  public let shape: [Int]
  public let strides: [Int]
  let initializer: Initializer
  /// Position in the storage of its kind.
  let offset: Int
  /// Whether the last backward pass gave this parameter a gradient.
  public internal(set) var hasGradient = false
  private unowned let store: ParameterStore

  init(
    name: String, kind: StateKind, shape: [Int], strides: [Int], initializer: Initializer,
    offset: Int, store: ParameterStore
  ) {
    self.name = name
    self.kind = kind
    self.shape = shape
    self.strides = strides
    self.initializer = initializer
    self.offset = offset
    self.store = store
  }

  public var count: Int { shape.reduce(1, *) }

  /// The values of a parameter or buffer.
  public var values: UnsafeMutablePointer<Float> {
    precondition(kind != .counter)
    return (kind == .parameter ? store.parameters : store.buffers).pointer + offset
  }

  /// The gradient of a parameter, in the order of its values.
  public var gradient: UnsafeMutablePointer<Float> {
    precondition(kind == .parameter)
    return store.gradients.pointer + offset
  }

  /// The value of a counter.
  public var counter: UnsafeMutablePointer<Int64> {
    precondition(kind == .counter)
    return store.counters.pointer + offset
  }

  /// Copies an array in C order of the shape to memory that is laid out as the values are.
  public func copy(_ array: UnsafePointer<Float>, to memory: UnsafeMutablePointer<Float>) {
    forEachElement { position, offset in memory[offset] = array[position] }
  }

  /// Calls `body(position in C order of the shape, offset in the storage)` for every element.
  public func forEachElement(_ body: (_ position: Int, _ offset: Int) -> Void) {
    var index = [Int](repeating: 0, count: shape.count)
    var offset = 0
    for position in 0..<count {
      body(position, offset)
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        offset += strides[axis]
        if index[axis] < shape[axis] { break }
        offset -= shape[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}

/// Initial values of a parameter.
public enum Initializer: Sendable {
  case constant(Float)
  /// Normal with mean 0.
  case normal(standardDeviation: Float)
  /// Uniform in ±bound.
  case uniform(bound: Float)
}
