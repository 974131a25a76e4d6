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
  let block = 64  // positions summed before their sum is added: keeps the rounding small
  forEachChunk(of: shape.batch, size: chunkRows(rowElements: positions * channels)) { start, end in
    for image in start..<end {
      let (x, y) = (input + image * positions * channels, output + image * channels)
      forEachVector(channels, size: LineVector.scalarCount) { c, lanes in
        var total = LineVector(repeating: 0)
        for first in stride(from: 0, to: positions, by: block) {
          var sum = LineVector(repeating: 0)
          for position in first..<min(first + block, positions) {
            sum += x.vector(at: position &* channels &+ c, lanes: lanes, as: LineVector.self)
          }
          total += sum
        }
        y.store(total * scale, at: c, lanes: lanes)
      }
    }
  }
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
