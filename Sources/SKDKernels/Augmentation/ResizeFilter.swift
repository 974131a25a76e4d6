/// Weights that change the length of a line of pixels: a triangle filter, widened to the distance of
/// the output's pixels when the line shrinks (antialiasing).
///
///     weight(x, i) ∝ max(0, 1 - |i + 1/2 - center(x)| / scale),  center(x) = (x + 1/2) · inputs / outputs
///     scale = max(1, inputs / outputs)
///
/// Weights are fixed-point numbers with 22 fractional bits, as in Pillow's `Image.resize(BILINEAR)`,
/// whose results this filter reproduces bit for bit.
public struct ResizeFilter: Sendable {
  static let fractionBits = 22

  public let inputs: Int
  public let outputs: Int
  /// Most input pixels that an output pixel reads.
  let taps: Int
  /// First input pixel and number of input pixels of each output pixel.
  let spans: [(first: Int, count: Int)]
  /// `[outputs, taps]`; unused taps are 0.
  let weights: [Int32]

  /// - Parameters:
  ///   - inputs: Pixels of a line, >= 1.
  ///   - outputs: Pixels of the resized line, >= 1.
  /// - Complexity: O(inputs + outputs); allocates its tables.
  public init(inputs: Int, outputs: Int) {
    precondition(inputs >= 1 && outputs >= 1)
    let ratio = Double(inputs) / Double(outputs)
    let scale = max(1, ratio)
    let taps = 2 * Int(scale.rounded(.up)) + 1
    var spans: [(first: Int, count: Int)] = []
    var weights = [Int32](repeating: 0, count: outputs * taps)
    for x in 0..<outputs {
      let center = (Double(x) + 0.5) * ratio
      let first = max(Int(center - scale + 0.5), 0)
      let count = min(Int(center + scale + 0.5), inputs) - first
      let values = (first..<first + count).map {
        max(0, 1 - abs((Double($0) - center + 0.5) / scale))
      }
      let sum = values.reduce(0, +)
      for (tap, value) in values.enumerated() {
        weights[x * taps + tap] = Int32(value / sum * Double(1 << Self.fractionBits) + 0.5)
      }
      spans.append((first, count))
    }
    (self.inputs, self.outputs, self.taps) = (inputs, outputs, taps)
    (self.spans, self.weights) = (spans, weights)
  }
}

/// Resizes a square image: first its rows, then its columns, each rounded to bytes.
///
/// Overwrites `output` and `scratch`; the operands must not overlap; allocates nothing.
///
/// - Parameters:
///   - image: `[filter.inputs, filter.inputs, channels]`.
///   - scratch: `[filter.inputs, filter.outputs, channels]`.
///   - output: `[filter.outputs, filter.outputs, channels]`.
/// - Complexity: O(channels · inputs · outputs · taps).
public func resizeImage(
  _ image: UnsafePointer<UInt8>, filter: ResizeFilter, channels: Int,
  scratch: UnsafeMutablePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>
) {
  for row in 0..<filter.inputs {
    resizeLine(
      image + row * filter.inputs * channels, filter: filter, stride: channels, channels: channels,
      into: scratch + row * filter.outputs * channels)
  }
  // A column of the image is a line whose "channels" are a whole row.
  let rowBytes = filter.outputs * channels
  resizeLine(scratch, filter: filter, stride: rowBytes, channels: rowBytes, into: output)
}

/// Resizes a line of pixels of `channels` bytes that begin `stride` bytes apart.
private func resizeLine(
  _ line: UnsafePointer<UInt8>, filter: ResizeFilter, stride: Int, channels: Int,
  into output: UnsafeMutablePointer<UInt8>
) {
  let half = Int32(1) << (ResizeFilter.fractionBits - 1)
  filter.weights.withUnsafeBufferPointer { weights in
    for x in 0..<filter.outputs {
      let (first, count) = filter.spans[x]
      for c in 0..<channels {
        var sum = half
        for tap in 0..<count {
          let pixel = Int32(line[(first + tap) * stride + c])
          sum += pixel * weights[x * filter.taps + tap]
        }
        output[x * channels + c] = UInt8(clamping: sum >> ResizeFilter.fractionBits)
      }
    }
  }
}
