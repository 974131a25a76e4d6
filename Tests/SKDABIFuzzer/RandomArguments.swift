import CSKD
import Foundation

/// Arguments of random calls, the same for the same seed: mostly such as a caller might pass, at
/// times absurd.
///
/// C cannot tell how large a buffer is: so an array is as large as the sizes of its call say, or NULL
/// where that would be too large to have.
final class RandomArguments {
  /// Bytes of all arrays of one call.
  private static let arenaSize = 4 << 20
  /// Bytes that are watched behind each array.
  private static let fence = 64
  /// Elements of one array; a call has a dozen at most.
  private static let largestArray = 20_000

  private var state: UInt64
  private let arena = UnsafeMutableRawPointer.allocate(
    byteCount: arenaSize, alignment: 64)
  private let copy = UnsafeMutableRawPointer.allocate(
    byteCount: arenaSize, alignment: 64)
  private var used = 0
  private var ends: [Int] = []

  init(seed: UInt64) {
    state = seed
    arena.initializeMemory(as: UInt8.self, repeating: 0, count: Self.arenaSize)
  }

  // MARK: One call

  func beginCall() {
    used = 0
    ends = []
  }

  /// Whether all arrays are as they were before the call.
  var areArraysUnchanged: Bool { memcmp(arena, copy, used) == 0 }

  /// Whether nothing was written behind the end of an array.
  var areEndsUnchanged: Bool {
    ends.allSatisfy { memcmp(arena + $0, copy + $0, Self.fence) == 0 }
  }

  // MARK: Numbers

  /// SplitMix64.
  func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

  /// True once in `count` times.
  func once(in count: Int) -> Bool { below(count) == 0 }

  func element<Element>(of choices: [Element]) -> Element { choices[below(choices.count)] }

  func size(_ usual: [Int64] = [0, 1, 1, 2, 2, 3, 4, 5, 7, 8, 16, 17]) -> Int64 {
    once(in: 8) ? element(of: Self.absurdSizes) : element(of: usual)
  }

  private static let absurdSizes: [Int64] = [
    -1, .min, .max, -1 << 31, 1 << 20, 1 << 31, 1 << 32, (1 << 40) - 1, 1 << 40, (1 << 40) + 1,
    1 << 48, 1 << 62,
  ]

  /// A flag or a code of an enumeration.
  func code(_ usual: ClosedRange<Int32>) -> Int32 {
    once(in: 8)
      ? element(of: [-1, -2, 9, .min, .max])
      : usual.lowerBound + Int32(below(usual.count))
  }

  func double(_ usual: [Double] = [0, 0.1, 0.5, 1, 2, 4]) -> Double {
    once(in: 6)
      ? element(of: [
        -1, .nan, .infinity, -.infinity, 0x1p-1070, 1e308, -1e308, 1e30, .leastNonzeroMagnitude,
      ])
      : element(of: usual)
  }

  func float(_ usual: [Double] = [0, 0.1, 0.5, 1, 2, 4]) -> Float { Float(double(usual)) }

  // MARK: Arrays

  /// Floats for a product of extents.
  func floats(_ extents: Int64...) -> UnsafeMutablePointer<Float>? {
    let special: [Float] = [
      .nan, .infinity, -.infinity, 1e38, -1e38, -.leastNonzeroMagnitude, -0.0,
    ]
    let hasSpecial = once(in: 12)
    return array(extents) {
      hasSpecial && self.once(in: 4)
        ? self.element(of: special) : Float(self.below(2_001)) / 500 - 2
    }
  }

  func doubles(_ extents: Int64...) -> UnsafeMutablePointer<Double>? {
    let hasSpecial = once(in: 12)
    return array(extents) {
      hasSpecial && self.once(in: 4)
        ? self.double() : Double(self.below(2_001)) / 500 - 2
    }
  }

  func bytes(_ extents: Int64...) -> UnsafeMutablePointer<UInt8>? {
    let areFlags = !once(in: 4)
    return array(extents) { UInt8(self.below(areFlags ? 2 : 256)) }
  }

  /// Integers, of which most are in 0..<count, in a row where there are enough.
  func integers(_ extents: Int64..., below count: Int64) -> UnsafeMutablePointer<Int64>? {
    let bound = Int(min(max(count, 1), 1_000))
    let hasAbsurd = once(in: 8)
    var position = 0
    return array(extents) {
      position += 1
      return hasAbsurd && self.once(in: 4) ? self.size() : Int64((position - 1) % bound)
    }
  }

  /// Elements for a product of extents; NULL if that is too large, and at times anyway.
  func array<Element: BitwiseCopyable>(_ extents: [Int64], _ value: () -> Element)
    -> UnsafeMutablePointer<Element>?
  {
    let count = extents.reduce(Int64(1)) { product, extent in
      let (next, overflow) = product.multipliedReportingOverflow(by: max(extent, 0))
      return overflow ? .max : next
    }
    let start = (used + 63) / 64 * 64
    let size = MemoryLayout<Element>.stride
    guard
      !once(in: 25), count <= Self.largestArray,
      start + Int(count) * size + Self.fence <= Self.arenaSize
    else { return nil }
    let end = start + Int(count) * size
    let elements = (arena + start).bindMemory(to: Element.self, capacity: Int(count) + 1)
    for i in 0..<Int(count) { elements[i] = value() }
    memset(arena + end, 0xA5, Self.fence)
    ends.append(end)
    memcpy(copy + used, arena + used, end + Self.fence - used)
    used = end + Self.fence
    return elements
  }

  /// A pointer to one value, or NULL.
  func reference<Value: BitwiseCopyable>(_ value: Value) -> UnsafeMutablePointer<Value>? {
    array([1]) { value }
  }
}
