import CSKD
import SKDKernels
import SKDNN
import SKDRuntime

@c @implementation
public func skd_dropout_mask(
  _ count: Int64, _ rate: Float, _ seed: UInt64, _ step: Int64,
  _ kept: UnsafeMutablePointer<UInt8>!
) -> skd_status {
  status("dropout_mask") { arguments in
    let kept = try arguments.pointer(kept, "kept")
    let count = try arguments.elements(count)
    try arguments.rate(rate)
    let random = CounterRandom(seed: seed, purpose: .dropout, step: try arguments.step(step))
    dropoutMask(kept: kept, count: count, rate: rate, random: random)
  }
}

@c @implementation
public func skd_dropout_apply(
  _ input: UnsafePointer<Float>!, _ kept: UnsafePointer<UInt8>!, _ count: Int64, _ rate: Float,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("dropout_apply") { arguments in
    let input = try arguments.pointer(input, "input")
    let kept = try arguments.pointer(kept, "kept")
    let output = try arguments.pointer(output, "output")
    let count = try arguments.elements(count)
    try arguments.rate(rate)
    dropoutApply(input, kept: kept, count: count, rate: rate, output: output)
  }
}

@c @implementation
public func skd_drop_block_gamma(
  _ rate: Double, _ block_size: Int64, _ side: Int64, _ step: Int64,
  _ gamma: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("drop_block_gamma") { arguments in
    let gamma = try arguments.pointer(gamma, "gamma")
    try arguments.number(rate, "rate", in: 0...1)
    let side = try arguments.size(side, "side")
    let blockSize = try arguments.size(block_size, "block_size", in: 1...side)
    let step = try arguments.step(step)
    gamma.pointee = dropBlockGamma(rate: rate, blockSize: blockSize, side: side, step: step)
  }
}

@c @implementation
public func skd_drop_block_corners(
  _ shape: UnsafePointer<skd_image_shape>!, _ block_size: Int64, _ gamma: Double, _ seed: UInt64,
  _ step: Int64, _ corners: UnsafeMutablePointer<UInt8>!
) -> skd_status {
  status("drop_block_corners") { arguments in
    let corners = try arguments.pointer(corners, "corners")
    let shape = try arguments.shape(shape)
    let blockSize = try arguments.size(
      block_size, "block_size", in: 1...min(shape.height, shape.width))
    try arguments.number(gamma, "gamma", in: 0...1)
    let random = CounterRandom(seed: seed, purpose: .dropBlock, step: try arguments.step(step))
    dropBlockCorners(
      corners: corners, shape: shape, blockSize: blockSize, gamma: gamma, random: random)
  }
}

@c @implementation
public func skd_drop_block_apply(
  _ input: UnsafePointer<Float>!, _ corners: UnsafePointer<UInt8>!,
  _ shape: UnsafePointer<skd_image_shape>!, _ block_size: Int64,
  _ output: UnsafeMutablePointer<Float>!, _ scale: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("drop_block_apply") { arguments in
    let input = try arguments.pointer(input, "input")
    let corners = try arguments.pointer(corners, "corners")
    let output = try arguments.pointer(output, "output")
    let shape = try arguments.shape(shape)
    let blockSize = try arguments.size(
      block_size, "block_size", in: 1...min(shape.height, shape.width))
    let factor = try Functional.dropBlock(
      input, corners: corners, shape: shape, blockSize: blockSize, output: output)
    if let scale { scale.pointee = factor }
  }
}
