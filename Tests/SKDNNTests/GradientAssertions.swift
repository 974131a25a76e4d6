import SKDKernels
import SKDTestSupport
import XCTest

@testable import SKDNN

/// The function whose gradient the tests take: sum(coefficients * values), in Double.
func weightedSum(_ tensor: Tensor, _ name: String = "coefficients") -> Double {
  zip(tensor.values, fill(name, shape: [tensor.count], seed: 1)).reduce(0) {
    $0 + Double($1.0) * Double($1.1)
  }
}

extension BufferPool {
  /// A tensor of the given values.
  func tensor(_ shape: ImageShape, _ values: [Float]) throws -> Tensor {
    let tensor = try self.tensor(shape)
    for (i, value) in values.enumerated() { tensor.pointer[i] = value }
    return tensor
  }

  /// A tensor of `fill` of a name.
  func filled(_ shape: ImageShape, _ name: String, seed: Int = 1) throws -> Tensor {
    try tensor(shape, fill(name, shape: [shape.count], seed: seed))
  }

  /// The gradient of `weightedSum`.
  func coefficients(like tensor: Tensor, _ name: String = "coefficients") throws -> Tensor {
    try filled(tensor.shape, name)
  }
}

extension StateEntry {
  /// The gradient of a parameter, in the order of its storage.
  var gradientValues: [Float] {
    kind == .parameter ? Array(UnsafeBufferPointer(start: gradient, count: count)) : []
  }

  /// The values of a parameter or buffer, in the order of the storage.
  var storedValues: [Float] {
    get { Array(UnsafeBufferPointer(start: values, count: count)) }
    set { for (i, value) in newValue.enumerated() { values[i] = value } }
  }

  var storedGradient: [Float] { Array(UnsafeBufferPointer(start: gradient, count: count)) }
}

extension ParameterStore {
  func entry(_ name: String) throws -> StateEntry {
    try XCTUnwrap(entries.first { $0.name == name }, name)
  }

  var trained: [StateEntry] { entries.filter { $0.kind == .parameter } }

  /// Moves all activations away from the kinks of ReLU and LeakyReLU, where differences are wrong.
  ///
  /// Three channels in four get a large positive bias, the fourth a negative one, and the scale is
  /// so small that no normalised value (at most 4, say) changes the sign: 2.5 > 4 * (0.4 + 0.2).
  /// Both slopes are in use, but no difference steps over a kink. Gates are nearly open, for the
  /// same reason.
  func moveAwayFromKinks() {
    let norms = entries.filter { $0.name.hasSuffix(".running_mean") }
      .map { $0.name.dropLast("running_mean".count) }
    for entry in trained {
      if let norm = norms.first(where: { entry.name.hasPrefix($0) }) {
        let isShortcut = norm.hasSuffix("downsample.1.")
        let isBias = entry.name.hasSuffix("bias")
        let positions = fill("position", shape: [entry.count], seed: entry.count)
        entry.storedValues = positions.enumerated().map { channel, position in
          if isBias { return isShortcut ? 0 : channel % 4 == 1 ? -2.5 : 2.5 }
          return (isShortcut ? 0.15 : 0.35) + 0.05 * position
        }
      } else if entry.name.hasSuffix("se.fc.2.bias") {
        entry.storedValues = entry.storedValues.map { $0 + 2 }
      }
    }
    markChanged()
  }
}

/// Asserts that the gradients of all parameters are those of `function`, by differences.
///
/// The difference quotient along the unit vector of a gradient is the gradient's length. Along it
/// the signal is strong, and the few poolings whose maximum changes its place average out; a
/// difference of a single entry of a deep network would drown in float32.
///
/// A parameter that has no influence, as a bias in front of a batch norm, has a gradient of rounding
/// errors: it is held against the largest gradient of all.
func assertParameterGradients(
  of store: ParameterStore, step: Float, tolerance: Double = 1e-2, _ message: String = "",
  file: StaticString = #filePath, line: UInt = #line, function: () throws -> Double
) rethrows {
  let trained = store.trained
  let gradients = trained.map(\.storedGradient)
  let lengths = gradients.map { gradient in
    gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  }
  let largest = lengths.max() ?? 0
  XCTAssertGreaterThan(largest, 0, message, file: file, line: line)
  for (entry, (gradient, length)) in zip(trained, zip(gradients, lengths)) {
    XCTAssertTrue(entry.hasGradient, "\(message) \(entry.name)", file: file, line: line)
    let start = entry.storedValues
    defer { entry.storedValues = start }
    func value(at distance: Float) throws -> Double {
      entry.storedValues = zip(start, gradient).map {
        $0 + distance * $1 / Float(max(length, 1e-30))
      }
      return try function()
    }
    let quotient = try (value(at: step) - value(at: -step)) / (2 * Double(step))
    XCTAssertEqual(
      quotient, length, accuracy: tolerance * max(length, 1e-2 * largest),
      "\(message) \(entry.name), \(start.count) entries", file: file, line: line)
  }
}

/// Asserts that a layer's gradients, of its input and of the parameters in `store`, are right.
func assertLayerGradients(
  _ store: ParameterStore, _ shape: ImageShape, step: Float = 1e-2, tolerance: Double = 1e-2,
  _ message: String = "", file: StaticString = #filePath, line: UInt = #line,
  forward: (Tensor, BufferPool) throws -> Tensor,
  backward: (Tensor, BufferPool) throws -> Tensor?
) throws {
  let pool = BufferPool()
  let input = fill("input", shape: [shape.count], seed: 2)
  func function(_ values: [Float]) throws -> Double {
    weightedSum(try forward(try pool.tensor(shape, values), pool))
  }
  let output = try forward(try pool.tensor(shape, input), pool)
  let dInput = try XCTUnwrap(try backward(try pool.coefficients(like: output), pool))
  XCTAssertEqual(dInput.shape, shape)
  assertGradient(
    dInput.values, of: { (try? function($0)) ?? .nan }, at: input, step: step,
    tolerance: tolerance, "\(message) input", file: file, line: line)
  if store.trained.isEmpty { return }
  try assertParameterGradients(
    of: store, step: step, tolerance: tolerance, message, file: file, line: line
  ) { try function(input) }
}
