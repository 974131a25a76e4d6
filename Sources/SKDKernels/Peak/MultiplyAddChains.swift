/// Independent chains of fused multiply-adds that stay in registers: the work that no kernel can
/// do faster.
///
/// How many chains fill the pipelines depends on the machine: too few leave them waiting for the
/// last result, too many do not fit into the registers. So there are several counts, and the best
/// one gives the peak.
enum MultiplyAddChains: CaseIterable {
  /// For 16 registers of 128 bits.
  case three
  /// For 16 registers of 256 bits, or 32 of 128.
  case six
  /// For 32 registers of 512 bits.
  case twelve

  /// Floating-point operations of `run`.
  func operations(links: Int) -> Int { links * count * Vector.scalarCount * 2 }

  private var count: Int {
    switch self {
    case .three: return 3
    case .six: return 6
    case .twelve: return 12
    }
  }

  /// Lengthens every chain by `links`: value = value * 0.5 + 0.25, which stays between 0.5 and 1.
  ///
  /// - Returns: A sum that depends on every link, so that none is left out.
  func run(links: Int) -> Float {
    switch self {
    case .three: return runChains(links: links, chains: InlineArray<3, Vector>(repeating: one))
    case .six: return runChains(links: links, chains: InlineArray<6, Vector>(repeating: one))
    case .twelve: return runChains(links: links, chains: InlineArray<12, Vector>(repeating: one))
    }
  }

  private var one: Vector { Vector(repeating: 1) }
}

@inline(__always)
private func runChains<let count: Int>(links: Int, chains: InlineArray<count, Vector>) -> Float {
  // Different starts, or the compiler would see that one chain serves for all.
  var chains = chains
  for c in 0..<count { chains[c] *= 1 - Float(c) / Float(4 * count) }
  let factor = Vector(repeating: 0.5)
  let summand = Vector(repeating: 0.25)
  for _ in 0..<links {
    for c in 0..<count { chains[c] = summand.addingRelaxedProduct(chains[c], factor) }
  }
  var sum = Vector(repeating: 0)
  for c in 0..<count { sum += chains[c] }
  return sum.sum()
}
