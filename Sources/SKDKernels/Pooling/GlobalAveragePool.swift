import SKDRuntime

/// Mean over the positions of every image and channel.
///
///     output[n, c] = sum over i, j of input[n, i, j, c] / (height * width)
///
/// - Parameters:
///   - input: Array of extent `shape`.
///   - output: `[batch, channels]`; overwritten. Must not overlap `input`.
/// - Complexity: O(input); allocates nothing.
public func globalAveragePoolForward(
  _ input: UnsafePointer<Float>, shape: ImageShape, output: UnsafeMutablePointer<Float>
) {
  let (positions, channels) = (shape.height * shape.width, shape.channels)
  precondition(positions >= 1)
  let scale = 1 / Float(positions)
  forEachChunk(of: shape.batch, size: chunkRows(rowElements: positions * channels)) { start, end in
    for image in start..<end {
      let (x, y) = (input + image * positions * channels, output + image * channels)
      let size = LineVector.scalarCount
      var first = 0
      while first &+ 4 &* size <= channels {
        let sums = positionSums(x + first, positions: positions, stride: channels)
        for line in 0..<4 { y.store(sums[line] * scale, at: first &+ line &* size) }
        first &+= 4 &* size
      }
      forEachVector(channels &- first, size: size) { c, lanes in
        let channel = first &+ c
        let sum = positionSum(x + channel, positions: positions, stride: channels, lanes: lanes)
        y.store(sum * scale, at: channel, lanes: lanes)
      }
    }
  }
}

/// Positions summed before their sum is added: keeps the rounding small.
private let positionBlock = 64

/// Sums over the positions of up to 16 channels.
private func positionSum(
  _ input: UnsafePointer<Float>, positions: Int, stride channels: Int, lanes: Int
) -> LineVector {
  var total = LineVector(repeating: 0)
  for first in stride(from: 0, to: positions, by: positionBlock) {
    var sum = LineVector(repeating: 0)
    for position in first..<min(first + positionBlock, positions) {
      sum += input.vector(at: position &* channels, lanes: lanes, as: LineVector.self)
    }
    total += sum
  }
  return total
}

/// The same of 64 channels: four sums that do not wait for each other.
private func positionSums(
  _ input: UnsafePointer<Float>, positions: Int, stride channels: Int
) -> InlineArray<4, LineVector> {
  let zero = LineVector(repeating: 0)
  var totals = InlineArray<4, LineVector>(repeating: zero)
  for first in stride(from: 0, to: positions, by: positionBlock) {
    var sums = InlineArray<4, LineVector>(repeating: zero)
    for position in first..<min(first + positionBlock, positions) {
      let x = input + position &* channels
      for line in 0..<4 {
        sums[line] += x.vector(at: line &* LineVector.scalarCount, as: LineVector.self)
      }
    }
    for line in 0..<4 { totals[line] += sums[line] }
  }
  return totals
}

/// Gradient of `globalAveragePoolForward`: dInput[n, i, j, c] = dOutput[n, c] / (height * width).
///
/// - Parameters:
///   - dOutput: `[batch, channels]`.
///   - dInput: Array of extent `shape`; overwritten. Must not overlap `dOutput`.
/// - Complexity: O(dInput); allocates nothing.
public func globalAveragePoolBackward(
  _ dOutput: UnsafePointer<Float>, shape: ImageShape, dInput: UnsafeMutablePointer<Float>
) {
  let (positions, channels) = (shape.height * shape.width, shape.channels)
  precondition(positions >= 1)
  let scale = Vector(repeating: 1 / Float(positions))
  forEachChunk(of: shape.rows, size: chunkRows(rowElements: channels)) { start, end in
    for row in start..<end {
      let (dy, dx) = (dOutput + row / positions * channels, dInput + row * channels)
      forEachVector(channels) { c, lanes in
        dx.store(dy.vector(at: c, lanes: lanes) * scale, at: c, lanes: lanes)
      }
    }
  }
}
