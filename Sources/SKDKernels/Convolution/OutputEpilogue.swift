import SKDRuntime

/// Work on an output of a convolution between the registers and the memory, which saves a pass over
/// the outputs.
protocol OutputEpilogue {
  associatedtype Lanes: OutputEpilogueLanes
  /// The work on one vector of channels, from `channel` on, of which the first `lanes` count. Nothing
  /// is read beyond them but sums, which end with whole vectors.
  func lanes(at channel: Int, lanes: Int) -> Lanes
}

protocol OutputEpilogueLanes {
  /// The value to write at `offset` of the output, counted from channel `channel` of its first position.
  mutating func finish(_ value: Vector, at offset: Int) -> Vector
  /// Called after the last value.
  func close()
}

/// leaky(value + bias): an evaluation, with batch norm folded into the weights.
struct AffineEpilogue: OutputEpilogue {
  let bias: UnsafePointer<Float>?
  let slope: Float

  @inline(__always)
  func lanes(at channel: Int, lanes: Int) -> Lanes {
    Lanes(bias: bias?.vector(at: channel, lanes: lanes) ?? Vector(repeating: 0), slope: slope)
  }

  struct Lanes: OutputEpilogueLanes {
    let bias: Vector
    let slope: Float

    @inline(__always)
    func finish(_ value: Vector, at offset: Int) -> Vector {
      let sum = value + bias
      return sum.replacing(with: sum * slope, where: sum .< 0)
    }

    @inline(__always)
    func close() {}
  }
}

/// Adds the bias, and adds up the moments of the outputs for batch norm.
struct MomentsEpilogue: OutputEpilogue {
  let bias: UnsafePointer<Float>?
  let sums: ChannelSums
  /// Whether the lanes hold the group's first value, which becomes the shift.
  let isFirst: Bool

  @inline(__always)
  func lanes(at channel: Int, lanes: Int) -> Lanes {
    Lanes(
      bias: bias?.vector(at: channel, lanes: lanes) ?? Vector(repeating: 0),
      shift: sums.shift + channel,
      firstSum: sums.first + channel, secondSum: sums.second + channel, needsShift: isFirst)
  }

  struct Lanes: OutputEpilogueLanes {
    let bias: Vector
    let shift, firstSum, secondSum: UnsafeMutablePointer<Float>
    var needsShift: Bool
    var origin: Vector
    var first: Vector
    var second: Vector

    @inline(__always)
    init(
      bias: Vector, shift: UnsafeMutablePointer<Float>, firstSum: UnsafeMutablePointer<Float>,
      secondSum: UnsafeMutablePointer<Float>, needsShift: Bool
    ) {
      (self.shift, self.firstSum, self.secondSum) = (shift, firstSum, secondSum)
      self.bias = bias
      self.needsShift = needsShift
      origin = UnsafePointer(shift).vector(at: 0)
      first = UnsafePointer(firstSum).vector(at: 0)
      second = UnsafePointer(secondSum).vector(at: 0)
    }

    @inline(__always)
    mutating func finish(_ value: Vector, at offset: Int) -> Vector {
      let value = value + bias
      if needsShift {
        origin = value
        needsShift = false
      }
      let difference = value - origin
      first += difference
      second = second.addingRelaxedProduct(difference, difference)
      return value
    }

    @inline(__always)
    func close() {
      shift.store(origin, at: 0)
      firstSum.store(first, at: 0)
      secondSum.store(second, at: 0)
    }
  }
}

/// Takes the gradient of an activation back through LeakyReLU, and accumulates the gradient sums of
/// the batch norm before it.
struct NormGradientEpilogue: OutputEpilogue {
  /// Input of the normalisation, in the order of the outputs.
  let input: UnsafePointer<Float>
  let normalization: ChannelNormalization
  let sums: ChannelSums

  @inline(__always)
  func lanes(at channel: Int, lanes: Int) -> Lanes {
    Lanes(
      input: input + channel, count: lanes,
      normalization: normalization.lanes(at: channel, lanes: lanes),
      firstSum: sums.first + channel, secondSum: sums.second + channel)
  }

  struct Lanes: OutputEpilogueLanes {
    let input: UnsafePointer<Float>
    let count: Int
    let normalization: ChannelNormalization.Lanes
    let firstSum, secondSum: UnsafeMutablePointer<Float>
    var first: Vector
    var second: Vector

    @inline(__always)
    init(
      input: UnsafePointer<Float>, count: Int, normalization: ChannelNormalization.Lanes,
      firstSum: UnsafeMutablePointer<Float>, secondSum: UnsafeMutablePointer<Float>
    ) {
      (self.input, self.count, self.normalization) = (input, count, normalization)
      (self.firstSum, self.secondSum) = (firstSum, secondSum)
      first = UnsafePointer(firstSum).vector(at: 0)
      second = UnsafePointer(secondSum).vector(at: 0)
    }

    @inline(__always)
    mutating func finish(_ value: Vector, at offset: Int) -> Vector {
      let x = input.vector(at: offset, lanes: count)
      let gradient = normalization.masked(value, x)
      first += gradient
      second = second.addingRelaxedProduct(gradient, x - normalization.mean)
      return gradient
    }

    @inline(__always)
    func close() {
      firstSum.store(first, at: 0)
      secondSum.store(second, at: 0)
    }
  }
}

/// Adds another tensor of the extent of the outputs.
struct AddEpilogue: OutputEpilogue {
  let addend: UnsafePointer<Float>

  @inline(__always)
  func lanes(at channel: Int, lanes: Int) -> Lanes {
    Lanes(addend: addend + channel, count: lanes)
  }

  struct Lanes: OutputEpilogueLanes {
    let addend: UnsafePointer<Float>
    let count: Int

    @inline(__always)
    func finish(_ value: Vector, at offset: Int) -> Vector {
      value + addend.vector(at: offset, lanes: count)
    }

    @inline(__always)
    func close() {}
  }
}
