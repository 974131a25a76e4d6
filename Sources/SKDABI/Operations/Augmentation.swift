import CSKD
import SKDFewShot
import SKDKernels
import SKDRuntime

@c @implementation
public func skd_apply_augmentation(
  _ images: UnsafePointer<UInt8>!, _ batch: Int64, _ side: Int64, _ channels: Int64,
  _ padding: Int64, _ choices: UnsafePointer<skd_augmentation_choices>!,
  _ output: UnsafeMutablePointer<UInt8>!
) -> skd_status {
  status("apply_augmentation") { arguments in
    let batch = try arguments.size(batch, "batch", in: 0...Arguments.maximumExtent)
    let extent = try ImageExtent(arguments, batch, side, channels, of: "images")
    let padding = try arguments.padding(padding)
    if batch == 0 { return }
    let images = try arguments.pointer(images, "images")
    let choices = try arguments.pointer(choices, "choices")
    let output = try arguments.pointer(output, "output")
    let checked = try (0..<batch).map {
      try AugmentationChoices(
        choices[$0], at: $0, padding: padding, channels: extent.channels, arguments)
    }
    for (b, choices) in checked.enumerated() {
      choices.apply(
        to: images + b * extent.count, side: extent.side, channels: extent.channels,
        padding: padding, into: output + b * extent.count)
    }
  }
}

@c @implementation
public func skd_draw_augmentation(
  _ mode: Int32, _ padding: Int64, _ flips: Int32, _ seed: UInt64, _ epoch: Int64, _ index: Int64,
  _ support: Int32, _ choices: UnsafeMutablePointer<skd_augmentation_choices>!
) -> skd_status {
  status("draw_augmentation") { arguments in
    let augmentation = try Augmentation(
      arguments, mode: mode, padding: padding, flips: flips, seed: seed, epoch: epoch,
      support: support)
    let index = try arguments.size(index, "index", in: Arguments.streams)
    let choices = try arguments.pointer(choices, "choices")
    choices.pointee = skd_augmentation_choices(augmentation.choices(stream: index))
  }
}

@c @implementation
public func skd_augment(
  _ images: UnsafePointer<UInt8>!, _ image_count: Int64, _ side: Int64, _ channels: Int64,
  _ indices: UnsafePointer<Int64>!, _ streams: UnsafePointer<Int64>!, _ batch: Int64,
  _ mode: Int32, _ padding: Int64, _ flips: Int32, _ seed: UInt64, _ epoch: Int64,
  _ support: Int32, _ mean: UnsafePointer<Float>!, _ std: UnsafePointer<Float>!,
  _ output_side: Int64, _ output: UnsafeMutablePointer<Float>!
) -> skd_status {
  status("augment") { arguments in
    let imageCount = try arguments.size(image_count, "image_count", in: 0...Arguments.maximumExtent)
    let batch = try arguments.size(batch, "batch", in: 0...Arguments.maximumExtent)
    let extent = try ImageExtent(arguments, imageCount, side, channels, of: "images")
    let outputSide = try arguments.size(output_side, "output_side", in: 1...(1 << 16))
    _ = try arguments.count(batch, outputSide, outputSide, extent.channels, of: "output")
    let augmentation = try Augmentation(
      arguments, mode: mode, padding: padding, flips: flips, seed: seed, epoch: epoch,
      support: support)
    try arguments.require(
      augmentation.mode != .full || extent.channels == 3, "channels",
      "be 3 for mode SKD_AUGMENT_FULL", got: channels)
    let mean = try arguments.pointer(mean, "mean")
    let std = try arguments.pointer(std, "std")
    try arguments.finite(mean, count: extent.channels, "mean")
    try arguments.finite(std, count: extent.channels, "std")
    for c in 0..<extent.channels {
      try arguments.require(std[c] > 0, "std", "be > 0", got: "\(std[c]) at index \(c)")
    }
    if batch == 0 { return }
    try arguments.require(
      imageCount > 0 && (batch <= imageCount || indices != nil), "batch",
      "be at most image_count = \(imageCount) without indices", got: batch)
    if let indices {
      try arguments.numbers(indices, count: batch, "indices", in: 0...imageCount - 1)
    }
    if let streams {
      try arguments.numbers(streams, count: batch, "streams", in: Arguments.streams)
    }
    try augmentation.apply(
      to: arguments.pointer(images, "images"), side: extent.side, channels: extent.channels,
      indices: indices, streams: streams, batch: batch, mean: mean, std: std,
      outputSide: outputSide, into: arguments.pointer(output, "output"))
  }
}

@c @implementation
public func skd_shuffle(
  _ count: Int64, _ seed: UInt64, _ epoch: Int64, _ permutation: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("shuffle") { arguments in
    let count = try arguments.size(count, "count", in: 0...(1 << 32) - 1)
    let epoch = try arguments.size(epoch, "epoch", in: Arguments.epochs)
    if count == 0 { return }
    let permutation = try arguments.pointer(permutation, "permutation")
    fillShuffledOrder(
      UnsafeMutableBufferPointer(start: permutation, count: count), seed: seed, epoch: epoch)
  }
}

/// Checked extent of one image of a batch.
private struct ImageExtent {
  let side: Int
  let channels: Int
  var count: Int { side * side * channels }

  init(
    _ arguments: Arguments, _ batch: Int, _ side: Int64, _ channels: Int64, of name: String
  ) throws {
    self.side = try arguments.size(side, "side", in: 1...(1 << 16))
    self.channels = try arguments.size(channels, "channels", in: 1...4)
    _ = try arguments.count(batch, self.side, self.side, self.channels, of: name)
  }
}

extension Arguments {
  /// Addresses of the random choices of an image: one word of the generator's counter.
  fileprivate static let streams = 0...(1 << 32) - 1
  fileprivate static let epochs = 0...(1 << 48) - 1

  fileprivate func padding(_ padding: Int64) throws -> Int {
    try size(padding, "padding", in: 0...(1 << 16))
  }
}

extension Augmentation {
  fileprivate init(
    _ arguments: Arguments, mode: Int32, padding: Int64, flips: Int32, seed: UInt64, epoch: Int64,
    support: Int32
  ) throws {
    let modes: [Mode] = [.none, .cropFlip, .full]  // SKD_AUGMENT_NONE, _CROP_FLIP, _FULL
    self.init(
      mode: modes[try arguments.size(Int64(mode), "mode", in: 0...modes.count - 1)],
      padding: try arguments.padding(padding),
      usesFlips: try arguments.flag(flips, "flips"),
      seed: seed,
      epoch: try arguments.size(epoch, "epoch", in: Arguments.epochs),
      isForSupport: try arguments.flag(support, "support"))
  }
}

extension AugmentationChoices {
  /// Checks the choices of image `position`.
  fileprivate init(
    _ choices: skd_augmentation_choices, at position: Int, padding: Int, channels: Int,
    _ arguments: Arguments
  ) throws {
    func name(_ field: String) -> String { "choices[\(position)].\(field)" }
    let factors = [choices.factors.0, choices.factors.1, choices.factors.2]
    for factor in factors {
      try arguments.number(factor, name("factors"), in: 0...Float.greatestFiniteMagnitude)
    }
    let codes = [choices.operations.0, choices.operations.1, choices.operations.2]
    var operations = ColorOperations()
    for code in codes {
      switch try arguments.size(Int64(code), name("operations"), in: -1...2) {
      case 0: operations.append(.brightness(factors[0]))
      case 1: operations.append(.contrast(factors[1]))
      case 2: operations.append(.saturation(factors[2]))
      default: break
      }
    }
    try arguments.require(
      operations.isEmpty || channels == 3, name("operations"), "be -1 unless channels is 3",
      got: "\(codes) for \(channels) channels")
    self.init(
      top: try arguments.size(Int64(choices.top), name("top"), in: 0...2 * padding),
      left: try arguments.size(Int64(choices.left), name("left"), in: 0...2 * padding),
      isFlipped: try arguments.flag(choices.flip, name("flip")),
      operations: operations)
  }
}

extension skd_augmentation_choices {
  fileprivate init(_ choices: AugmentationChoices) {
    var codes: [Int32] = [-1, -1, -1]
    var factors: [Float] = [1, 1, 1]
    for (i, operation) in choices.operations.enumerated() {
      switch operation {
      case .brightness(let factor): (codes[i], factors[0]) = (0, factor)
      case .contrast(let factor): (codes[i], factors[1]) = (1, factor)
      case .saturation(let factor): (codes[i], factors[2]) = (2, factor)
      }
    }
    self.init(
      top: Int32(choices.top), left: Int32(choices.left), flip: choices.isFlipped ? 1 : 0,
      operations: (codes[0], codes[1], codes[2]), factors: (factors[0], factors[1], factors[2]))
  }
}
