internal import CIntrinsics
import SKDRuntime

/// The 3x3 kernels of a convolution at the 36 points, and their gradients back from there.
///
/// At each point they are a matrix `[depth][columns]`, in blocks of 32 columns. The last block is
/// written in whole vectors, with zeros behind the columns. The forward pass
/// has the inputs as depth and the outputs as columns; the input gradient is a convolution with the
/// kernels turned by 180° and the roles of inputs and outputs exchanged.
struct WinogradWeights {
  /// Channels of the stored weights, `[3][3][inputs][outputs]`.
  let inputs: Int
  let outputs: Int
  /// Whether the matrices serve the input gradient instead of the forward pass.
  let isTransposed: Bool
  /// Precision of the transformed weights.
  var precision = Precision.float32

  var depth: Int { isTransposed ? outputs : inputs }
  var columns: Int { isTransposed ? inputs : outputs }

  /// Rows of a block in memory: bfloat16 lie there in pairs.
  var blockDepth: Int { precision == .bfloat16 ? depth + depth % 2 : depth }

  /// Elements between the points of all weights: the odd line keeps them off power-of-two distances.
  var planeStride: Int { blockDepth * wholeBlocks(columns) + precision.lineCount }
  /// Floats of all weights, `[36][columns / 32][depth][32]`.
  var count: Int { precision.floats(Winograd.planes * planeStride) }

  /// Most depth of a part of a block: at all points, half a megabyte, which the second cache holds
  /// from its transform to its product.
  static let partDepth = 128
  /// Elements between the points of a part.
  var partPlaneStride: Int { min(blockDepth, Self.partDepth) * blockWidth + precision.lineCount }
  /// Floats of a part of one block of columns, `[36][depth of the part][32]`.
  var partCount: Int { precision.floats(Winograd.planes * partPlaneStride) }

  /// Transforms all weights.
  func toPoints(
    _ weight: UnsafePointer<Float>, into transformed: UnsafeMutablePointer<Float>
  ) {
    switch precision {
    case .float32: allToPoints(weight, into: transformed)
    case .bfloat16: allToPoints(weight, into: transformed.elements(of: BFloat16.self))
    }
  }

  private func allToPoints<Point: ProductOperand>(
    _ weight: UnsafePointer<Float>, into transformed: UnsafeMutablePointer<Point>
  ) {
    let parts = ceilDivide(depth, blockWidth)
    WorkerPool.shared.forEach(ceilDivide(columns, blockWidth) * parts) { item, _ in
      let (block, part) = item.quotientAndRemainder(dividingBy: parts)
      toPoints(
        weight, isOrdered: false, block: block,
        depths: part * blockWidth..<min((part + 1) * blockWidth, depth),
        into: transformed + (block * blockDepth + part * blockWidth) * blockWidth,
        planeStride: planeStride)
    }
  }

  /// Floats of the weights as `order` writes them.
  var orderedCount: Int { 9 * inputs * wholeBlocks(outputs) }

  /// Puts weights in the order in which `toPoints` takes them, `[columns / 32][depth][9][32]`. As
  /// they are stored, the taps of 32 columns are nine rows that lie far apart. Writes (`=`).
  func order(_ weight: UnsafePointer<Float>, into ordered: UnsafeMutablePointer<Float>) {
    precondition(!isTransposed)
    WorkerPool.shared.forEach(ceilDivide(columns, blockWidth)) { block, _ in
      let width = width(ofBlock: block)
      for k in 0..<depth {
        for tap in 0..<9 {
          let source = weight + ((tap * inputs + k) * outputs + block * blockWidth)
          let target = ordered + ((block * depth + k) * 9 + tap) * blockWidth
          target.update(from: source, count: width)
          (target + width).update(repeating: 0, count: blockWidth - width)
        }
      }
    }
  }

  /// Columns of a block.
  private func width(ofBlock block: Int) -> Int { min(blockWidth, columns - block * blockWidth) }

  /// Transforms a part of one block of columns, `[36][depths][32]`.
  ///
  /// - Parameter isOrdered: Whether the weights are as `order` writes them, not as they are stored.
  func toPoints(
    _ weight: UnsafePointer<Float>, isOrdered: Bool, block: Int, depths: Range<Int>,
    into transformed: UnsafeMutablePointer<Float>
  ) {
    func toPoints<Point: ProductOperand>(_: Point.Type) {
      self.toPoints(
        weight, isOrdered: isOrdered, block: block, depths: depths,
        into: transformed.elements(of: Point.self), planeStride: partPlaneStride)
    }
    switch precision {
    case .float32: toPoints(Float.self)
    case .bfloat16: toPoints(BFloat16.self)
    }
  }

  private func toPoints<Point: ProductOperand>(
    _ weight: UnsafePointer<Float>, isOrdered: Bool, block: Int, depths: Range<Int>,
    into transformed: UnsafeMutablePointer<Point>, planeStride: Int
  ) {
    let width = width(ofBlock: block)
    if isTransposed {
      let column = block * blockWidth
      for first in stride(from: depths.lowerBound, to: depths.upperBound, by: 16) {
        for c in stride(from: 0, to: width, by: 16) {
          turnedToPoints(
            weight + ((column + c) * outputs + first), inputs: min(16, width - c),
            outputs: min(16, depths.upperBound - first),
            into: transformed, row: first - depths.lowerBound, column: c, planeStride: planeStride)
        }
      }
    } else {
      // The first tap of the first kernel, and from there to the next depth and the next tap.
      let corner = isOrdered ? block * depth * 9 * blockWidth : block * blockWidth
      let (row, tap) = isOrdered ? (9 * blockWidth, blockWidth) : (outputs, inputs * outputs)
      Winograd.withIntermediate { intermediate in
        for k in depths {
          let kernels = weight + (corner &+ k &* row)
          prefetch(kernels + 8 &* row, tap: tap)
          forEachVector(width) { c, lanes in
            let source = kernels + c
            Winograd.weightToPoints(
              intermediate,
              { row, column in source.vector(at: (row &* 3 &+ column) &* tap, lanes: lanes) },
              { row, column, value in
                Point.store(
                  value, in: transformed + (row &* 6 &+ column) &* planeStride,
                  row: k &- depths.lowerBound, column: c)
              })
          }
        }
      }
    }
  }

  /// Asks for 32 outputs of all taps.
  @inline(__always)
  private func prefetch(_ weight: UnsafePointer<Float>, tap: Int) {
    for number in 0..<9 {
      skd_prefetch(weight + number &* tap)
      skd_prefetch(weight + (number &* tap &+ 16))
    }
  }

  /// Transforms the turned kernels of up to 16 outputs, as depth, and up to 16 inputs, as columns.
  private func turnedToPoints<Point: ProductOperand>(
    _ weight: UnsafePointer<Float>, inputs: Int, outputs: Int,
    into transformed: UnsafeMutablePointer<Point>, row first: Int, column: Int, planeStride: Int
  ) {
    // The vectors over 16 inputs, for each of 16 outputs: `[9 taps][16 outputs]`.
    let isWhole = inputs == 16 && outputs == 16
    let taps = InlineArray<9, InlineArray<16, SIMD16<Float>>> {
      isWhole
        ? transposedTap(weight, $0)
        : transposedTap(weight, $0, inputs: inputs, outputs: outputs)
    }
    withUnsafePointer(to: taps) { taps in
      let taps = UnsafeRawPointer(taps).assumingMemoryBound(to: Float.self)
      Winograd.withIntermediate { intermediate in
        for k in 0..<outputs {
          for c in stride(from: 0, to: inputs, by: Vector.scalarCount) {
            let source = taps + (k &* 16 &+ c)
            Winograd.weightToPoints(
              intermediate, { row, column in source.vector(at: (8 &- row &* 3 &- column) &* 256) },
              { row, point, value in
                Point.store(
                  value, in: transformed + (row &* 6 &+ point) &* planeStride, row: first &+ k,
                  column: column &+ c)
              })
          }
        }
      }
    }
  }

  /// The 16 inputs and 16 outputs of one tap, as vectors over the inputs.
  @inline(__always)
  private func transposedTap(_ weight: UnsafePointer<Float>, _ tap: Int)
    -> InlineArray<16, SIMD16<Float>>
  {
    let source = weight + tap &* inputs &* outputs
    for i in 0..<16 { skd_prefetch(source + (i &* outputs &+ 32)) }
    let square = InlineArray<16, SIMD16<Float>> {
      source.vector(at: $0 &* outputs, as: SIMD16<Float>.self)
    }
    return shuffled(shuffled(shuffled(shuffled(square))))
  }

  /// The same of fewer inputs or outputs; zeros take the place of the others.
  private func transposedTap(
    _ weight: UnsafePointer<Float>, _ tap: Int, inputs count: Int, outputs lanes: Int
  ) -> InlineArray<16, SIMD16<Float>> {
    let source = weight + tap &* inputs &* outputs
    let square = InlineArray<16, SIMD16<Float>> {
      $0 < count
        ? source.vector(at: $0 &* outputs, lanes: lanes, as: SIMD16<Float>.self)
        : SIMD16(repeating: 0)
    }
    return shuffled(shuffled(shuffled(shuffled(square))))
  }

  /// Takes the gradients of up to 32 inputs and outputs, `[36][32][32]` with planes `planeStride`
  /// apart, back to the kernels. Writes (`=`).
  ///
  /// - Parameter parts: Sums to be added up first, `count` floats apart.
  func gradientFromPoints(
    _ transformed: UnsafePointer<Float>, parts: Int, planeStride: Int, inputBlock: Int,
    outputBlock: Int, into dWeight: UnsafeMutablePointer<Float>
  ) {
    let tap = inputs * outputs
    let corner = dWeight + (inputBlock * outputs + outputBlock) * blockWidth
    for i in 0..<min(blockWidth, inputs &- inputBlock &* blockWidth) {
      forEachVector(width(ofBlock: outputBlock)) { c, lanes in
        let source = transformed + (i &* blockWidth &+ c)
        let target = corner + (i &* outputs &+ c)
        Winograd.weightGradientFromPoints(
          { row, column in
            let offset = (row &* 6 &+ column) &* planeStride
            var sum = source.vector(at: offset)
            for part in 1..<parts { sum += source.vector(at: offset &+ part &* count) }
            return sum
          },
          { row, column, value in target.store(value, at: (row &* 3 &+ column) &* tap, lanes: lanes)
          })
      }
    }
  }
}

/// A perfect shuffle of the 256 values of a square; four of them transpose it.
@inline(__always)
private func shuffled(_ square: InlineArray<16, SIMD16<Float>>) -> InlineArray<
  16, SIMD16<Float>
> {
  var result = InlineArray<16, SIMD16<Float>> { _ in SIMD16(repeating: 0) }
  for i in 0..<8 {
    let pair = SIMD32<Float>(lowHalf: square[2 &* i], highHalf: square[2 &* i &+ 1])
    result[i] = pair.evenHalf
    result[i &+ 8] = pair.oddHalf
  }
  return result
}
