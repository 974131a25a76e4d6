import CLibrary
import SKDRuntime

/// Floats of memory that `squeezeExcitationForward` saves for the backward pass, and as many as
/// the backward pass needs of its own.
public func squeezeExcitationScratchCount(shape: ImageShape, hidden: Int) -> Int {
  shape.batch * (2 * shape.channels + hidden)
}

/// Scales every channel of an image by a gate computed from all of its channels' means.
///
///     units = relu(weight1 · mean + bias1),  gate = sigmoid(weight2 · units + bias2)
///     output[n, i, j, c] = input[n, i, j, c] * gate[n, c]
///
/// - Parameters:
///   - input: Array of extent `shape`.
///   - saved: `squeezeExcitationScratchCount` floats; overwritten with the values that the backward
///     pass reads.
///   - output: Array of extent `shape`; overwritten. May be the same memory as `input`.
/// - Complexity: O(input + batch · channels · hidden); allocates nothing.
public func squeezeExcitationForward(
  _ input: UnsafePointer<Float>, shape: ImageShape, weights: SqueezeExcitationWeights,
  saved: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
) {
  let (channels, hidden) = (shape.channels, weights.hidden)
  let stages = Stages(saved, shape: shape, hidden: hidden)
  globalAveragePoolForward(input, shape: shape, output: stages.mean)
  forEachChunk(of: shape.batch, size: chunkRows(rowElements: channels * hidden)) { start, end in
    for image in start..<end {
      let (mean, units) = (stages.mean + image * channels, stages.units + image * hidden)
      forEachDot(
        mean, count: channels, weights.weight1, weights.weight1Strides, outputs: hidden
      ) { unit, sum in
        units[unit] = max(Float(sum + Double(weights.bias1[unit])), 0)
      }
      forEachDot(
        units, count: hidden, weights.weight2, weights.weight2Strides, outputs: channels
      ) { channel, sum in
        let gate = 1 / (1 + exp(-(sum + Double(weights.bias2[channel]))))
        stages.gate[image * channels + channel] = Float(gate)
      }
    }
  }
  let positions = shape.height * shape.width
  forEachChunk(of: shape.rows, size: chunkRows(rowElements: channels)) { start, end in
    for row in start..<end {
      let (x, y) = (input + row * channels, output + row * channels)
      let gate = stages.gate + row / positions * channels
      forEachVector(channels) { c, lanes in
        let product = x.vector(at: c, lanes: lanes) * gate.vector(at: c, lanes: lanes)
        y.store(product, at: c, lanes: lanes)
      }
    }
  }
}

/// Gradients of `squeezeExcitationForward`. With s the input of the sigmoid and h the input of the
/// ReLU:
///
///     ds = gate * (1 - gate) * sum over i, j of dOutput * input
///     dh = (units > 0) * weight2^T · ds,  dMean = weight1^T · dh
///     dInput = dOutput * gate + dMean / (height * width)
///     dWeight2 = sum_n ds units^T,  dBias2 = sum_n ds;  dWeight1 = sum_n dh mean^T,  dBias1 = ...
///
/// - Parameters:
///   - input: Array of extent `shape`, of the forward pass.
///   - dOutput: Array of extent `shape`.
///   - saved: Values that the forward pass saved.
///   - dInput: Array of extent `shape`; overwritten. May be the same memory as `dOutput`.
///   - gradients: Overwritten, in the strides of `weights`.
///   - scratch: `squeezeExcitationScratchCount` floats; overwritten.
/// - Complexity: O(input + batch · channels · hidden); allocates nothing.
public func squeezeExcitationBackward(
  _ input: UnsafePointer<Float>, _ dOutput: UnsafePointer<Float>, shape: ImageShape,
  weights: SqueezeExcitationWeights, saved: UnsafeMutablePointer<Float>,
  dInput: UnsafeMutablePointer<Float>, gradients: SqueezeExcitationGradients,
  scratch: UnsafeMutablePointer<Float>
) {
  let (channels, hidden) = (shape.channels, weights.hidden)
  let positions = shape.height * shape.width
  let stages = Stages(saved, shape: shape, hidden: hidden)
  let dStages = Stages(scratch, shape: shape, hidden: hidden)  // dMean, dh and ds
  let imageCost = channels * (positions + hidden)
  forEachChunk(of: shape.batch, size: chunkRows(rowElements: imageCost)) { start, end in
    for image in start..<end {
      let (gate, ds) = (stages.gate + image * channels, dStages.gate + image * channels)
      let offset = image * positions * channels
      sumProducts(
        input + offset, dOutput + offset, positions: positions, channels: channels, sums: ds)
      for channel in 0..<channels { ds[channel] *= gate[channel] * (1 - gate[channel]) }
      let (units, dh) = (stages.units + image * hidden, dStages.units + image * hidden)
      forEachDot(
        ds, count: channels, weights.weight2, weights.weight2Strides.transposed, outputs: hidden
      ) { unit, sum in
        dh[unit] = units[unit] > 0 ? Float(sum) : 0
      }
      forEachDot(
        dh, count: hidden, weights.weight1, weights.weight1Strides.transposed, outputs: channels
      ) { channel, sum in
        dStages.mean[image * channels + channel] = Float(sum / Double(positions))
      }
    }
  }
  sumOuterProducts(
    dStages.gate, outputs: channels, stages.units, inputs: hidden, batch: shape.batch,
    dWeight: gradients.dWeight2, strides: weights.weight2Strides, dBias: gradients.dBias2)
  sumOuterProducts(
    dStages.units, outputs: hidden, stages.mean, inputs: channels, batch: shape.batch,
    dWeight: gradients.dWeight1, strides: weights.weight1Strides, dBias: gradients.dBias1)
  forEachChunk(of: shape.rows, size: chunkRows(rowElements: channels)) { start, end in
    for row in start..<end {
      let (dy, dx) = (dOutput + row * channels, dInput + row * channels)
      let image = row / positions * channels
      forEachVector(channels) { c, lanes in
        let share = dStages.mean.vector(at: image &+ c, lanes: lanes)
        let gate = stages.gate.vector(at: image &+ c, lanes: lanes)
        let gradient = share.addingRelaxedProduct(dy.vector(at: c, lanes: lanes), gate)
        dx.store(gradient, at: c, lanes: lanes)
      }
    }
  }
}

/// The three stages of all images in one block of memory, or their gradients.
private struct Stages {
  let mean, gate, units: UnsafeMutablePointer<Float>  // [batch, channels] twice, [batch, hidden]

  init(_ memory: UnsafeMutablePointer<Float>, shape: ImageShape, hidden: Int) {
    mean = memory
    gate = mean + shape.batch * shape.channels
    units = gate + shape.batch * shape.channels
  }
}

/// sums[c] = sum over positions of a[position, c] * b[position, c].
private func sumProducts(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, positions: Int, channels: Int,
  sums: UnsafeMutablePointer<Float>
) {
  let block = 64  // positions summed before their sum is added: keeps the rounding small
  forEachVector(channels, size: LineVector.scalarCount) { c, lanes in
    var total = LineVector(repeating: 0)
    for first in stride(from: 0, to: positions, by: block) {
      var sum = LineVector(repeating: 0)
      for position in first..<min(first + block, positions) {
        let i = position &* channels &+ c
        sum.addRelaxedProduct(
          a.vector(at: i, lanes: lanes, as: LineVector.self),
          b.vector(at: i, lanes: lanes, as: LineVector.self))
      }
      total += sum
    }
    sums.store(total, at: c, lanes: lanes)
  }
}
