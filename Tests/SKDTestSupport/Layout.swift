/// Reorders NCHW to NHWC. `shape` is `[n, c, h, w]`.
public func nhwcFromNCHW<Element>(_ values: [Element], shape: [Int]) -> [Element] {
  precondition(shape.count == 4 && values.count == shape.reduce(1, *))
  let (c, h, w) = (shape[1], shape[2], shape[3])
  return values.indices.map { index in
    let (channel, x, y, image) = (
      index % c, index / c % w, index / (c * w) % h, index / (c * w * h)
    )
    return values[((image * c + channel) * h + y) * w + x]
  }
}

/// Reorders NHWC to NCHW. `shape` is `[n, c, h, w]`: the shape of the result.
public func nchwFromNHWC<Element>(_ values: [Element], shape: [Int]) -> [Element] {
  precondition(shape.count == 4 && values.count == shape.reduce(1, *))
  let (c, h, w) = (shape[1], shape[2], shape[3])
  return values.indices.map { index in
    let (x, y, channel, image) = (
      index % w, index / w % h, index / (w * h) % c, index / (w * h * c)
    )
    return values[((image * h + y) * w + x) * c + channel]
  }
}
