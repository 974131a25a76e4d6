/// Deterministic tensors from a name and a seed: a port of `reference/fill.py`, bit for bit.
///
/// The golden files hold outputs only; weights and inputs are generated with these functions.

/// The first `count` 64-bit words of the stream of (name, seed): splitmix64 from
/// `fnv1a64(name) ^ seed`.
public func randomBits(_ name: String, count: Int, seed: Int) -> [UInt64] {
  let base = fnv1a64(name) ^ UInt64(bitPattern: Int64(seed))
  return tabulate(count) { splitmix64(base &+ UInt64(truncatingIfNeeded: $0)) }
}

/// Values in [-1, 1), multiples of 2^-23, hence exact in float32.
public func uniform(_ name: String, count: Int, seed: Int) -> [Double] {
  let base = fnv1a64(name) ^ UInt64(bitPattern: Int64(seed))
  return tabulate(count) { unit(splitmix64(base &+ UInt64(truncatingIfNeeded: $0))) }
}

/// A tensor whose distribution follows from its name and number of dimensions (see `fill.py`).
public func fill(_ name: String, shape: [Int], seed: Int) -> [Float] {
  let (offset, scale, usesMagnitude) = affine(name, shape)
  let base = fnv1a64(name) ^ UInt64(bitPattern: Int64(seed))
  return tabulate(shape.reduce(1, *)) {
    let u = unit(splitmix64(base &+ UInt64(truncatingIfNeeded: $0)))
    let scaled = scale * (usesMagnitude ? u.magnitude : u)
    return Float(offset + scaled)
  }
}

/// Bytes, for images.
public func fillBytes(_ name: String, shape: [Int], seed: Int) -> [UInt8] {
  randomBits(name, count: shape.reduce(1, *), seed: seed).map { UInt8($0 >> 56) }
}

/// `[value(0), value(1), ...]`, in a loop that is bearable in unoptimised builds too: tests fill
/// networks of millions of parameters.
private func tabulate<Value>(_ count: Int, _ value: (Int) -> Value) -> [Value] {
  [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
    guard let values = buffer.baseAddress else { return }
    var i = 0
    while i < count {
      (values + i).initialize(to: value(i))
      i &+= 1
    }
    initialized = count
  }
}

private func unit(_ word: UInt64) -> Double {
  Double(Int64(truncatingIfNeeded: word &>> 40)) * 0x1p-23 - 1
}

private func splitmix64(_ state: UInt64) -> UInt64 {
  var z = state &+ 0x9e37_79b9_7f4a_7c15
  z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z &>> 31)
}

func fnv1a64(_ name: String) -> UInt64 {
  name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

private func affine(_ name: String, _ shape: [Int]) -> (
  offset: Double, scale: Double, usesMagnitude: Bool
) {
  if name.hasSuffix("running_mean") { return (0, 0.1, false) }
  if name.hasSuffix("running_var") { return (1, 0.5, true) }
  switch (name.hasSuffix(".weight"), name.hasSuffix(".bias"), shape.count) {
  case (true, _, 4):
    return (0, (6 / Double(shape[0] * shape[2] * shape[3])).squareRoot(), false)
  case (true, _, 2): return (0, 1 / Double(shape[1]).squareRoot(), false)
  case (true, _, 1): return (1, 0.1, false)
  case (_, true, 1): return (0, 0.1, false)
  default: return (0, 1, false)
  }
}
