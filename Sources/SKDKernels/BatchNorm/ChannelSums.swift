import SKDRuntime

/// Two sums for every channel, over a group of positions, from which batch norm computes its
/// statistics and its gradients.
///
/// A record holds the count of positions, then for each channel a shift and the two sums.
/// *Moments*: of v - shift and of its square, where the shift is a value of the group or its mean, so
/// that a large mean costs the variance no digits. *Gradient sums*: of g and of g * (x - mean).
///
/// Groups depend on the shape of the batch alone. Each is summed up in float32 by one worker; the
/// groups are added up in Double, in order.
struct ChannelSums {
  private let record: UnsafeMutablePointer<Float>
  private let padded: Int

  /// Floats of one group's record.
  static func stride(channels: Int) -> Int { 16 + 3 * paddedCount(channels) }
  private static func paddedCount(_ channels: Int) -> Int { (channels + 15) / 16 * 16 }

  fileprivate init(_ record: UnsafeMutablePointer<Float>, channels: Int) {
    (self.record, padded) = (record, Self.paddedCount(channels))
  }

  var count: UnsafeMutablePointer<Float> { record }
  var shift: UnsafeMutablePointer<Float> { record + 16 }
  var first: UnsafeMutablePointer<Float> { record + 16 + padded }
  var second: UnsafeMutablePointer<Float> { record + 16 + 2 * padded }

  /// Sets the shifts and sums of some channels to zero, and the count with the first of them: other
  /// threads may open other channels of the same record meanwhile.
  func open(count: Int, channels: Range<Int>) {
    if channels.lowerBound == 0 { self.count[0] = Float(count) }
    (shift + channels.lowerBound).update(repeating: 0, count: channels.count)
    (first + channels.lowerBound).update(repeating: 0, count: channels.count)
    (second + channels.lowerBound).update(repeating: 0, count: channels.count)
  }

  // MARK: Adding

  /// Adds to the sums of up to 16 channels.
  @inline(__always)
  func add(_ first: Vector, _ second: Vector, at channel: Int, lanes: Int) {
    self.first.store(
      self.first.vector(at: channel, lanes: lanes) + first, at: channel, lanes: lanes)
    self.second.store(
      self.second.vector(at: channel, lanes: lanes) + second, at: channel, lanes: lanes)
  }

  /// Opens the record and adds the moments of `rows` rows of `values`, in two passes: the first
  /// finds the shift.
  func addMoments(_ values: UnsafePointer<Float>, rows: Int, channels: Int) {
    open(count: rows, channels: 0..<channels)
    for row in 0..<rows {
      let x = values + row &* channels
      forEachVector(channels) { c, lanes in
        let sum = shift.vector(at: c, lanes: lanes) + x.vector(at: c, lanes: lanes)
        shift.store(sum, at: c, lanes: lanes)
      }
    }
    let scale = 1 / Float(rows)
    forEachVector(channels) { c, lanes in
      shift.store(shift.vector(at: c, lanes: lanes) * scale, at: c, lanes: lanes)
    }
    for row in 0..<rows {
      let x = values + row &* channels
      forEachVector(channels) { c, lanes in
        let difference = x.vector(at: c, lanes: lanes) - shift.vector(at: c, lanes: lanes)
        first.store(first.vector(at: c, lanes: lanes) + difference, at: c, lanes: lanes)
        let square = second.vector(at: c, lanes: lanes).addingRelaxedProduct(difference, difference)
        second.store(square, at: c, lanes: lanes)
      }
    }
  }

  /// Opens the record and adds the gradient sums of `rows` rows.
  ///
  /// - Parameter masked: Destination of the gradient before the activation; may be `gradient`, and
  ///   may be nil.
  func addGradient(
    _ gradient: UnsafePointer<Float>, of input: UnsafePointer<Float>, rows: Int, channels: Int,
    _ normalization: ChannelNormalization, masked: UnsafeMutablePointer<Float>?
  ) {
    open(count: rows, channels: 0..<channels)
    for row in 0..<rows {
      let offset = row &* channels
      forEachVector(channels) { c, lanes in
        let normalization = normalization.lanes(at: c, lanes: lanes)
        let x = input.vector(at: offset &+ c, lanes: lanes)
        let g = normalization.masked(gradient.vector(at: offset &+ c, lanes: lanes), x)
        masked?.store(g, at: offset &+ c, lanes: lanes)
        first.store(first.vector(at: c, lanes: lanes) + g, at: c, lanes: lanes)
        let product = second.vector(at: c, lanes: lanes)
          .addingRelaxedProduct(g, x - normalization.mean)
        second.store(product, at: c, lanes: lanes)
      }
    }
  }
}

/// The `ChannelSums` of all groups of a batch, one record after the other in memory of the caller.
/// One kernel accumulates them for the batch norm beside it.
public struct ChannelSumRecords {
  let pointer: UnsafeMutablePointer<Float>
  let groups, channels: Int

  /// - Parameter pointer: `count(groups:channels:)` floats.
  public init(_ pointer: UnsafeMutablePointer<Float>, groups: Int, channels: Int) {
    (self.pointer, self.groups, self.channels) = (pointer, groups, channels)
  }

  /// Floats of the records of `groups` groups.
  public static func count(groups: Int, channels: Int) -> Int {
    groups * ChannelSums.stride(channels: channels)
  }

  subscript(group: Int) -> ChannelSums {
    ChannelSums(pointer + group * ChannelSums.stride(channels: channels), channels: channels)
  }

  /// The record of a group with all sums and its count zero.
  func opened(_ group: Int) -> ChannelSums {
    self[group].open(count: 0, channels: 0..<channels)
    return self[group]
  }
}
