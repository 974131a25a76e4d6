import SKDTestSupport

@testable import SKDKernels

extension Conv2DCase {
  static var all: [Conv2DCase] {
    general + chunked + winograd.flatMap { [$0.winograd, $0.gemm] }
  }

  /// Every combination of kernel, stride, padding and height, and every pair of channel counts;
  /// what a list does not enumerate is drawn.
  static let general: [Conv2DCase] = {
    var draw = Draw()
    var cases: [Conv2DCase] = []
    for kernelSize in kernelSizes {
      for stride in strides {
        for padding in paddings {
          for height in sides {
            cases += valid(
              height: height, kernelSize: kernelSize, stride: stride, padding: padding,
              inputs: draw.next(channels), outputs: draw.next(channels), &draw)
          }
        }
      }
    }
    for inputs in channels {
      for outputs in channels {
        cases += valid(
          height: draw.next([2, 3, 4, 5, 7]), kernelSize: draw.next(kernelSizes),
          stride: draw.next(strides), padding: draw.next(paddings), inputs: inputs,
          outputs: outputs, &draw)
      }
    }
    return cases
  }()

  /// Every height with every pair of whole blocks of channels, and every pair of channel counts that
  /// leave a part of a block or of a vector, by both algorithms.
  static let winograd: [(winograd: Conv2DCase, gemm: Conv2DCase)] = {
    var draw = Draw()
    var cases: [Conv2DCase] = []
    func add(_ height: Int, width: Int, _ inputs: Int, _ outputs: Int, padding: Int) {
      cases.append(
        Conv2DCase(
          batch: draw.next([0, 1, 2, 3]), height: height, width: width, inputs: inputs,
          outputs: outputs, kernelSize: 3, padding: padding, slope: draw.next(slopes),
          algorithm: .winograd))
    }
    for inputs in partialChannels {
      for outputs in partialChannels {
        add(
          draw.next([3, 4, 5, 10]), width: draw.next([3, 5, 7]), inputs, outputs,
          padding: draw.next(paddings))
      }
    }
    for height in sides {
      for padding in paddings where height + 2 * padding >= 3 {
        add(height, width: draw.next([3, 4, 5, 7]), 33, 24, padding: padding)
      }
      for inputs in [32, 64, 96] {
        for outputs in [32, 64, 96] {
          add(height, width: draw.next(sides), inputs, outputs, padding: 1)
        }
      }
    }
    return cases.map { winograd in
      var gemm = winograd
      gemm.algorithm = .gemm
      return (winograd, gemm)
    }
  }()

  /// Cases that run through the loops over chunks of rows or tiles more than once, and every
  /// schedule of Winograd's algorithm: by tiles, in groups of 28 or fewer; by channels, for few tiles
  /// (fewer than 64) or large weights (more than 58254 channel pairs); of the weight gradient, with few
  /// tiles (at most 160), with few channels (at most 7265 pairs) and in chunks (of 128 tiles).
  static let chunked: [Conv2DCase] =
    [
      Conv2DCase(
        height: 1, width: 2052, inputs: 32, outputs: 32, kernelSize: 3, padding: 1,
        algorithm: .winograd),
      Conv2DCase(
        height: 5, width: 2052, inputs: 32, outputs: 64, kernelSize: 3, padding: 1,
        algorithm: .winograd),
      Conv2DCase(
        height: 33, width: 31, inputs: 64, outputs: 32, kernelSize: 3, padding: 1, slope: 0.1,
        algorithm: .winograd),
      Conv2DCase(
        height: 1, width: 2052, inputs: 256, outputs: 256, kernelSize: 3, padding: 1, slope: 0.1,
        algorithm: .winograd),
      Conv2DCase(
        batch: 3, height: 5, width: 3, inputs: 480, outputs: 128, kernelSize: 3, padding: 1,
        algorithm: .winograd),
      Conv2DCase(
        batch: 3, height: 9, width: 5, inputs: 128, outputs: 96, kernelSize: 3, padding: 1,
        algorithm: .winograd),
      Conv2DCase(
        batch: 3, height: 61, width: 46, inputs: 96, outputs: 96, kernelSize: 3, padding: 1,
        slope: 1, algorithm: .winograd),
      // The same schedules with parts of blocks.
      Conv2DCase(
        height: 5, width: 2052, inputs: 24, outputs: 40, kernelSize: 3, padding: 1,
        algorithm: .winograd),
      Conv2DCase(
        height: 34, width: 33, inputs: 100, outputs: 37, kernelSize: 3, padding: 0, slope: 0.1,
        algorithm: .winograd),
      Conv2DCase(
        batch: 3, height: 6, width: 5, inputs: 250, outputs: 243, kernelSize: 3, padding: 0,
        algorithm: .winograd),
      Conv2DCase(
        batch: 3, height: 60, width: 45, inputs: 90, outputs: 103, kernelSize: 3, padding: 2,
        slope: 0.1, algorithm: .winograd),
    ] + [
      Conv2DCase(height: 1, width: 2052, inputs: 32, outputs: 32, kernelSize: 3, padding: 1),
      Conv2DCase(height: 65, width: 65, inputs: 1, outputs: 1, kernelSize: 3, padding: 1),
      Conv2DCase(batch: 2, height: 40, width: 60, inputs: 3, outputs: 5, kernelSize: 1, slope: 0),
      Conv2DCase(batch: 4300, height: 1, width: 1, inputs: 2, outputs: 3, kernelSize: 1, slope: 1),
      Conv2DCase(
        batch: 2, height: 13, width: 17, inputs: 33, outputs: 5, kernelSize: 5, stride: 2),
      // Seven groups of rows, the most that share out their columns, and eight.
      Conv2DCase(
        batch: 2, height: 14, width: 28, inputs: 3, outputs: 65, kernelSize: 3, padding: 1,
        slope: 0.1),
      Conv2DCase(
        batch: 5, height: 11, width: 15, inputs: 3, outputs: 65, kernelSize: 3, padding: 1,
        slope: 0.1),
    ]

  private static let kernelSizes = [1, 3, 5]
  private static let strides = [1, 2]
  private static let paddings = [0, 1, 2]
  private static let channels = [1, 3, 5, 16, 31, 32, 33, 64, 96]
  private static let partialChannels = [1, 3, 7, 8, 24, 40, 48, 100]
  private static let sides = [1, 2, 3, 4, 5, 7, 10, 21]
  private static let slopes: [Float?] = [nil, 1, 0.1, 0]

  /// The case, its width, batch and slope drawn; none if the kernel is larger than the image.
  private static func valid(
    height: Int, kernelSize: Int, stride: Int, padding: Int, inputs: Int, outputs: Int,
    _ draw: inout Draw
  ) -> [Conv2DCase] {
    let fitting = sides.filter { $0 + 2 * padding >= kernelSize && $0 * height <= 70 }
    guard height + 2 * padding >= kernelSize, !fitting.isEmpty else { return [] }
    return [
      Conv2DCase(
        batch: draw.next([0, 1, 2, 3]), height: height, width: draw.next(fitting), inputs: inputs,
        outputs: outputs, kernelSize: kernelSize, stride: stride, padding: padding,
        slope: draw.next(slopes))
    ]
  }

  /// Draws from lists, always in the same way.
  private struct Draw {
    private var words = randomBits("cases", count: 2000, seed: 1)

    mutating func next<Value>(_ values: [Value]) -> Value {
      values[Int(words.removeLast() % UInt64(values.count))]
    }
  }
}
