import SKDKernels
import SKDNN

/// A network whose whole state is `fill` of the names of its entries.
public func filledNetwork(_ configuration: NetworkConfiguration, seed: Int) throws -> Network {
  let network = try Network(configuration)
  for entry in network.store.entries where entry.kind != .counter {
    let values = fill(entry.name, shape: entry.shape, seed: seed)
    entry.forEachElement { position, offset in entry.values[offset] = values[position] }
  }
  network.store.markChanged()
  return network
}

extension Tensor {
  /// The values, in NHWC order.
  public var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// The values in PyTorch's order.
  public var valuesNCHW: [Float] {
    nchwFromNHWC(values, shape: [shape.batch, shape.channels, shape.height, shape.width])
  }
}

extension BufferPool {
  /// A tensor of images given in PyTorch's order, of `shape` [n, c, h, w].
  public func images(nchw values: [Float], shape: [Int]) throws -> Tensor {
    let tensor = try self.tensor(
      ImageShape(batch: shape[0], height: shape[2], width: shape[3], channels: shape[1]))
    for (i, value) in nhwcFromNCHW(values, shape: shape).enumerated() { tensor.pointer[i] = value }
    return tensor
  }
}

extension StateEntry {
  /// The elements at `positions` in C order of the shape, of the values or the gradient.
  public func values(at positions: [Int], of storage: UnsafeMutablePointer<Float>) -> [Float] {
    var inOrder = [Float](repeating: 0, count: count)
    forEachElement { position, offset in inOrder[position] = storage[offset] }
    return positions.map { inOrder[$0] }
  }
}
