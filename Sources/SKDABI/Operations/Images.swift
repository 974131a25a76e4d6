import CSKD
import SKDKernels
import SKDRuntime

@c @implementation
public func skd_max_pool2d_forward(
  _ input: UnsafePointer<Float>!, _ shape: UnsafePointer<skd_image_shape>!,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("max_pool2d_forward") { arguments in
    let input = try arguments.pointer(input, "input")
    let output = try arguments.pointer(output, "output")
    let shape = try arguments.shape(shape, minimumSide: 2)
    maxPool2DForward(input, shape: shape, output: output)
  }
}

@c @implementation
public func skd_max_pool2d_backward(
  _ input: UnsafePointer<Float>!, _ d_output: UnsafePointer<Float>!,
  _ shape: UnsafePointer<skd_image_shape>!, _ d_input: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("max_pool2d_backward") { arguments in
    let input = try arguments.pointer(input, "input")
    let dOutput = try arguments.pointer(d_output, "d_output")
    let dInput = try arguments.pointer(d_input, "d_input")
    let shape = try arguments.shape(shape, minimumSide: 2)
    maxPool2DBackward(input, dOutput, shape: shape, dInput: dInput)
  }
}

@c @implementation
public func skd_global_average_pool_forward(
  _ input: UnsafePointer<Float>!, _ shape: UnsafePointer<skd_image_shape>!,
  _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("global_average_pool_forward") { arguments in
    let input = try arguments.pointer(input, "input")
    let output = try arguments.pointer(output, "output")
    let shape = try arguments.shape(shape)
    globalAveragePoolForward(input, shape: shape, output: output)
  }
}

@c @implementation
public func skd_global_average_pool_backward(
  _ d_output: UnsafePointer<Float>!, _ shape: UnsafePointer<skd_image_shape>!,
  _ d_input: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("global_average_pool_backward") { arguments in
    let dOutput = try arguments.pointer(d_output, "d_output")
    let dInput = try arguments.pointer(d_input, "d_input")
    let shape = try arguments.shape(shape)
    globalAveragePoolBackward(dOutput, shape: shape, dInput: dInput)
  }
}

@c @implementation
public func skd_rotate_images(
  _ images: UnsafePointer<Float>!, _ batch: Int64, _ channels: Int64, _ side: Int64,
  _ quarter_turns: Int32, _ rotated: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("rotate_images") { arguments in
    let images = try arguments.pointer(images, "images")
    let rotated = try arguments.pointer(rotated, "rotated")
    let batch = try arguments.size(batch, "batch", in: 0...Arguments.maximumExtent)
    let channels = try arguments.size(channels, "channels")
    let side = try arguments.size(side, "side")
    // One image at least: an empty batch must not hide sides whose square overflows.
    _ = try arguments.count(max(batch, 1), side, side, channels, of: "images")
    let quarterTurns = try arguments.size(Int64(quarter_turns), "quarter_turns", in: 0...3)
    rotateImages(
      images, batch: batch, side: side, channels: channels, quarterTurns: quarterTurns,
      into: rotated)
  }
}
