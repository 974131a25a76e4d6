internal import CIntrinsics

/// The transforms of Winograd's convolutions with three taps at the points 0, ±√½, ±√2 and ∞, on
/// vectors of channels.
///
///     y = Aᵀ [(G g) ⊙ (Bᵀ d)]      g: 3 taps, d: inputs, y: outputs
///
/// Along an axis, a tile has four outputs (F(4, 3), all six points) or, at the end of an image, two
/// or one (F(2, 3), F(1, 3): the first points and ∞, with the same G). These points keep the error 3
/// to 5 times below that of 0, ±1, ±2 at the same number of additions. The six points are numbered
/// 0, √½, -√½, √2, -√2, ∞.
enum Winograd {
  /// Points of a two-dimensional tile of 4x4 outputs: one plane of a matrix product each.
  static let planes = 36

  /// Up to six values along an axis: inputs, or values at the points.
  typealias Six = (Vector, Vector, Vector, Vector, Vector, Vector)
  /// Up to four outputs along an axis.
  typealias Four = (Vector, Vector, Vector, Vector)
  /// The taps of a kernel along an axis.
  typealias Three = (Vector, Vector, Vector)

  // A stored constant that is not a literal would be initialised on first use, and asked for in
  // every column of a tile whether it is.
  static var zero: Vector {
    @inline(__always) get { Vector(repeating: 0) }
  }
  /// √½ and √2, the points, and -2/3 and 1/6, the scales of their rows of G.
  static let low: Float = 0.707_106_781_186_547_5
  static let high: Float = 1.414_213_562_373_095_1
  private static let lowScale: Float = -2.0 / 3.0
  private static let highScale: Float = 1.0 / 6.0

  /// a + factor * b.
  @inline(__always)
  static func sum(_ a: Vector, _ factor: Float, _ b: Vector) -> Vector {
    a.addingRelaxedProduct(Vector(repeating: factor), b)
  }

  /// G g.
  @inline(__always)
  static func weight(_ g: Three) -> Six {
    let lowEven = lowScale * sum(g.0, 0.5, g.2)
    let highEven = highScale * sum(g.0, 2, g.2)
    return (
      g.0, sum(lowEven, lowScale * low, g.1), sum(lowEven, -lowScale * low, g.1),
      sum(highEven, highScale * high, g.1), sum(highEven, -highScale * high, g.1), g.2
    )
  }

  /// Gᵀ u, the transpose of `weight`: how a gradient at the points enters the taps.
  @inline(__always)
  static func weightGradient(_ u: Six) -> Three {
    let lowSum = lowScale * (u.1 + u.2)
    let highSum = highScale * (u.3 + u.4)
    let odd = sum((lowScale * low) * (u.1 - u.2), highScale * high, u.3 - u.4)
    return (u.0 + lowSum + highSum, odd, sum(sum(u.5, 0.5, lowSum), 2, highSum))
  }
}

/// The outputs of a tile along one axis, and the transforms that belong to their number.
protocol WinogradSpan {
  static var outputs: Int { get }
  /// Whether the tile has a value at point 0...5.
  static func uses(_ point: Int) -> Bool
  /// Bᵀ d; the first `outputs` + 2 values are read, and values at unused points are meaningless.
  static func input(_ d: Winograd.Six) -> Winograd.Six
  /// Aᵀ m; the first `outputs` results count.
  static func output(_ m: Winograd.Six) -> Winograd.Four
  /// A e, the transpose of `output`: how a gradient of the outputs enters the points.
  static func gradient(_ e: Winograd.Four) -> Winograd.Six
}

enum FourOutputs: WinogradSpan {
  static let outputs = 4

  @inline(__always)
  static func uses(_ point: Int) -> Bool { true }

  @inline(__always)
  static func input(_ d: Winograd.Six) -> Winograd.Six {
    let (low, high) = (Winograd.low, Winograd.high)
    let lowEven = Winograd.sum(d.4, -2, d.2)
    let lowOdd = Winograd.sum(d.3, -2, d.1)
    let highEven = Winograd.sum(d.4, -0.5, d.2)
    let highOdd = Winograd.sum(d.3, -0.5, d.1)
    return (
      Winograd.sum(d.0 + d.4, -2.5, d.2),
      Winograd.sum(lowEven, low, lowOdd), Winograd.sum(lowEven, -low, lowOdd),
      Winograd.sum(highEven, high, highOdd), Winograd.sum(highEven, -high, highOdd),
      Winograd.sum(d.1 + d.5, -2.5, d.3)
    )
  }

  @inline(__always)
  static func output(_ m: Winograd.Six) -> Winograd.Four {
    let (lowSum, highSum) = (m.1 + m.2, m.3 + m.4)
    let (lowDifference, highDifference) = (m.1 - m.2, m.3 - m.4)
    // The point enters the odd outputs with its first and its third power.
    return (
      m.0 + lowSum + highSum,
      Winograd.sum(Winograd.low * lowDifference, Winograd.high, highDifference),
      Winograd.sum(0.5 * lowSum, 2, highSum),
      Winograd.sum(
        Winograd.sum(m.5, 0.5 * Winograd.low, lowDifference), 2 * Winograd.high, highDifference)
    )
  }

  @inline(__always)
  static func gradient(_ e: Winograd.Four) -> Winograd.Six {
    let (low, high) = (Winograd.low, Winograd.high)
    let lowEven = Winograd.sum(e.0, 0.5, e.2)
    let lowOdd = Winograd.sum(e.1, 0.5, e.3)
    let highEven = Winograd.sum(e.0, 2, e.2)
    let highOdd = Winograd.sum(e.1, 2, e.3)
    return (
      e.0, Winograd.sum(lowEven, low, lowOdd), Winograd.sum(lowEven, -low, lowOdd),
      Winograd.sum(highEven, high, highOdd), Winograd.sum(highEven, -high, highOdd), e.3
    )
  }
}

enum TwoOutputs: WinogradSpan {
  static let outputs = 2

  @inline(__always)
  static func uses(_ point: Int) -> Bool { point < 3 || point == 5 }

  @inline(__always)
  static func input(_ d: Winograd.Six) -> Winograd.Six {
    let even = -1.5 * d.2
    let odd = -1.5 * Winograd.low
    return (
      Winograd.sum(d.0, -2, d.2), Winograd.sum(even, odd, d.1), Winograd.sum(even, -odd, d.1),
      Winograd.zero, Winograd.zero, Winograd.sum(d.3, -0.5, d.1)
    )
  }

  @inline(__always)
  static func output(_ m: Winograd.Six) -> Winograd.Four {
    (
      m.0 + m.1 + m.2, Winograd.sum(m.5, Winograd.low, m.1 - m.2), Winograd.zero, Winograd.zero
    )
  }

  @inline(__always)
  static func gradient(_ e: Winograd.Four) -> Winograd.Six {
    (
      e.0, Winograd.sum(e.0, Winograd.low, e.1), Winograd.sum(e.0, -Winograd.low, e.1),
      Winograd.zero, Winograd.zero, e.1
    )
  }
}

enum OneOutput: WinogradSpan {
  static let outputs = 1

  @inline(__always)
  static func uses(_ point: Int) -> Bool { point < 2 || point == 5 }

  @inline(__always)
  static func input(_ d: Winograd.Six) -> Winograd.Six {
    (
      Winograd.sum(d.0, -Winograd.high, d.1), (-1.5 * Winograd.high) * d.1, Winograd.zero,
      Winograd.zero, Winograd.zero, Winograd.sum(d.2, -Winograd.low, d.1)
    )
  }

  @inline(__always)
  static func output(_ m: Winograd.Six) -> Winograd.Four {
    (m.0 + m.1 + m.5, Winograd.zero, Winograd.zero, Winograd.zero)
  }

  @inline(__always)
  static func gradient(_ e: Winograd.Four) -> Winograd.Six {
    (e.0, e.0, Winograd.zero, Winograd.zero, Winograd.zero, e.0)
  }
}

/// Two-dimensional transforms: first along the columns, then along the rows.
///
/// Between the two, values are kept in `intermediate`, 36 vectors: there are more of them than
/// registers, and left to itself the compiler takes vectors apart to make room.
extension Winograd {
  typealias Load = (_ row: Int, _ column: Int) -> Vector
  typealias Store = (_ row: Int, _ column: Int, _ value: Vector) -> Void
  typealias Intermediate = UnsafeMutablePointer<Vector>

  /// Calls `body` with memory for the intermediate values of one transform after another.
  ///
  /// On the stack: from a kilobyte on, `withUnsafeTemporaryAllocation` goes to the heap.
  @inline(__always)
  static func withIntermediate(_ body: (Intermediate) -> Void) {
    var values = InlineArray<36, Vector>(repeating: zero)
    withUnsafeMutablePointer(to: &values) {
      skd_keep_in_memory($0)
      body(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Vector.self))
    }
  }

  /// Bᵀ d B of a tile of inputs.
  @inline(__always)
  static func inputToPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type, _ intermediate: Intermediate, _ load: Load, _ store: Store
  ) {
    let inputs = Rows.outputs &+ 2
    for j in 0..<Columns.outputs &+ 2 {
      let d = (
        load(0, j), load(1, j), load(2, j), inputs > 3 ? load(3, j) : zero,
        inputs > 4 ? load(4, j) : zero, inputs > 5 ? load(5, j) : zero
      )
      keep(Rows.input(d), column: j, intermediate)
    }
    for i in 0..<6 where Rows.uses(i) {
      let row = intermediate + 6 &* i
      storeRow(
        i, Columns.input((row[0], row[1], row[2], row[3], row[4], row[5])), Columns.self, store)
    }
  }

  /// A e Aᵀ of a tile of output gradients.
  @inline(__always)
  static func gradientToPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type, _ intermediate: Intermediate, _ load: Load, _ store: Store
  ) {
    let outputs = Rows.outputs
    for j in 0..<Columns.outputs {
      let e = (
        load(0, j), outputs > 1 ? load(1, j) : zero, outputs > 2 ? load(2, j) : zero,
        outputs > 3 ? load(3, j) : zero
      )
      keep(Rows.gradient(e), column: j, intermediate)
    }
    for i in 0..<6 where Rows.uses(i) {
      let row = intermediate + 6 &* i
      storeRow(i, Columns.gradient((row[0], row[1], row[2], row[3])), Columns.self, store)
    }
  }

  /// G g Gᵀ of a 3x3 kernel.
  @inline(__always)
  static func weightToPoints(_ intermediate: Intermediate, _ load: Load, _ store: Store) {
    for j in 0..<3 { keep(weight((load(0, j), load(1, j), load(2, j))), column: j, intermediate) }
    for i in 0..<6 {
      let row = intermediate + 6 &* i
      storeRow(i, weight((row[0], row[1], row[2])), FourOutputs.self, store)
    }
  }

  @inline(__always)
  private static func keep(_ values: Six, column j: Int, _ intermediate: Intermediate) {
    intermediate[j] = values.0
    intermediate[j &+ 6] = values.1
    intermediate[j &+ 12] = values.2
    intermediate[j &+ 18] = values.3
    intermediate[j &+ 24] = values.4
    intermediate[j &+ 30] = values.5
  }

  @inline(__always)
  private static func storeRow<Columns: WinogradSpan>(
    _ i: Int, _ values: Six, _: Columns.Type, _ store: Store
  ) {
    store(i, 0, values.0)
    store(i, 1, values.1)
    if Columns.uses(2) { store(i, 2, values.2) }
    if Columns.uses(3) { store(i, 3, values.3) }
    if Columns.uses(4) { store(i, 4, values.4) }
    store(i, 5, values.5)
  }

  /// Aᵀ m A of the products at a tile's points: its outputs.
  @inline(__always)
  static func outputFromPoints<Rows: WinogradSpan, Columns: WinogradSpan>(
    _: Rows.Type, _: Columns.Type, _ load: Load, _ store: Store
  ) {
    @inline(__always) func column(_ j: Int) -> Four {
      Columns.uses(j)
        ? Rows.output(
          (
            load(0, j), load(1, j), Rows.uses(2) ? load(2, j) : zero,
            Rows.uses(3) ? load(3, j) : zero, Rows.uses(4) ? load(4, j) : zero, load(5, j)
          )) : (zero, zero, zero, zero)
    }
    @inline(__always) func finish(_ i: Int, _ m: Six) {
      guard i < Rows.outputs else { return }
      let y = Columns.output(m)
      store(i, 0, y.0)
      if Columns.outputs > 1 { store(i, 1, y.1) }
      if Columns.outputs > 2 {
        store(i, 2, y.2)
        store(i, 3, y.3)
      }
    }
    let (a, b, c) = (column(0), column(1), column(2))
    let (d, e, f) = (column(3), column(4), column(5))
    finish(0, (a.0, b.0, c.0, d.0, e.0, f.0))
    finish(1, (a.1, b.1, c.1, d.1, e.1, f.1))
    finish(2, (a.2, b.2, c.2, d.2, e.2, f.2))
    finish(3, (a.3, b.3, c.3, d.3, e.3, f.3))
  }

  /// Gᵀ u G of a gradient at all points: the gradient of a 3x3 kernel.
  @inline(__always)
  static func weightGradientFromPoints(_ load: Load, _ store: Store) {
    @inline(__always) func column(_ j: Int) -> Three {
      weightGradient((load(0, j), load(1, j), load(2, j), load(3, j), load(4, j), load(5, j)))
    }
    @inline(__always) func finish(_ i: Int, _ u: Six) {
      let g = weightGradient(u)
      store(i, 0, g.0)
      store(i, 1, g.1)
      store(i, 2, g.2)
    }
    let (a, b, c) = (column(0), column(1), column(2))
    let (d, e, f) = (column(3), column(4), column(5))
    finish(0, (a.0, b.0, c.0, d.0, e.0, f.0))
    finish(1, (a.1, b.1, c.1, d.1, e.1, f.1))
    finish(2, (a.2, b.2, c.2, d.2, e.2, f.2))
  }
}
