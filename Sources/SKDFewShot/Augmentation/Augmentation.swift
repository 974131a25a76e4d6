import SKDKernels
import SKDRuntime

/// A random augmentation of square images.
///
/// The choices for an image depend on (seed, purpose, epoch, stream) alone: not on the batch it
/// is in, the order of calls or the number of threads.
public struct Augmentation: Sendable {
  /// Kind of augmentation before normalising.
  public enum Mode: Sendable {
    case none
    case cropFlip
    /// Crop, brightness, contrast and saturation in random order, flip. Three channels only.
    case full
  }

  public var mode: Mode
  /// Zeros on each side before the crop, in pixels; below 2^30.
  public var padding: Int
  /// Whether half of the images are mirrored.
  public var usesFlips: Bool
  public var seed: UInt64
  /// Below 2^48.
  public var epoch: Int
  /// Whether the numbers come from the stream of support copies instead of the training one.
  public var isForSupport: Bool

  public init(
    mode: Mode, padding: Int, usesFlips: Bool = true, seed: UInt64, epoch: Int,
    isForSupport: Bool = false
  ) {
    self.mode = mode
    self.padding = padding
    self.usesFlips = usesFlips
    self.seed = seed
    self.epoch = epoch
    self.isForSupport = isForSupport
  }

  /// The choices of image `stream`, a number in `0..<2^32`.
  ///
  /// The crop is uniform, the factors are uniform in 0.6...1.4 (colour jitter 0.4) and the order
  /// of the operations is a uniform permutation.
  ///
  /// - Complexity: O(1).
  public func choices(stream: Int) -> AugmentationChoices {
    guard mode != .none else {
      return AugmentationChoices(top: padding, left: padding, isFlipped: false)
    }
    let random = CounterRandom(
      seed: seed, purpose: isForSupport ? .supportAugmentation : .augmentation, step: epoch,
      index: stream)
    let placement = random.words(at: 0)  // top, left, flip, order
    let factors = random.words(at: 1)
    var choices = AugmentationChoices(
      top: integer(below: 2 * padding + 1, from: placement[0]),
      left: integer(below: 2 * padding + 1, from: placement[1]),
      isFlipped: usesFlips && placement[2] >> 31 == 1)
    if mode == .full {
      let operations = (
        ColorOperation.brightness(jitter(factors[0])), ColorOperation.contrast(jitter(factors[1])),
        ColorOperation.saturation(jitter(factors[2]))
      )
      choices.operations = permuted(operations, by: integer(below: 6, from: placement[3]))
    }
    return choices
  }

  private func integer(below bound: Int, from word: UInt32) -> Int {
    Int((UInt64(word) * UInt64(bound)) >> 32)
  }

  private func jitter(_ word: UInt32) -> Float { 0.6 + 0.8 * unitInterval(word) }
}

/// Permutation `number`, in 0...5, of three operations.
private func permuted(
  _ operations: (ColorOperation, ColorOperation, ColorOperation), by number: Int
) -> ColorOperations {
  let (a, b, c) = operations
  return switch number {
  case 0: [a, b, c]
  case 1: [a, c, b]
  case 2: [b, a, c]
  case 3: [b, c, a]
  case 4: [c, a, b]
  default: [c, b, a]
  }
}
