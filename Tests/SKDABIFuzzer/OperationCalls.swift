import CSKD
import SKDABI

/// A call with random arguments; its status, or nil if the function returns none.
typealias Call = (RandomArguments) -> skd_status?

/// Operations, losses, schedules and measurements.
func operationCalls() -> [(String, Call)] {
  [
    ("skd_last_error", { _ in skd_last_error() == nil ? skd_status(SKD_INVALID_ARGUMENT) : nil }),
    (
      "skd_last_refusal",
      { _ in
        if let refusal = skd_last_refusal() {
          precondition(refusal.pointee.argument != nil && refusal.pointee.owner != nil)
        }
        return nil
      }
    ),
    (
      "skd_instruction_set",
      { _ in skd_instruction_set() == nil ? skd_status(SKD_INVALID_ARGUMENT) : nil }
    ),
    (
      "skd_set_num_threads",
      { skd_set_num_threads($0.element(of: [1, 2, 3, 0, -1, 257, .min, .max])) }
    ),
    (
      "skd_get_num_threads",
      { _ in
        precondition(skd_get_num_threads() >= 1); return nil
      }
    ),
    (
      "skd_evaluation_batch",
      { _ in
        precondition(skd_evaluation_batch() >= 1); return nil
      }
    ),
    (
      "skd_available_processors",
      { _ in
        precondition(skd_available_processors() >= 1); return nil
      }
    ),
    (
      "skd_watch_mapping",
      { a in
        let start = a.floats(4)
        defer { skd_unwatch_mapping(start) }
        return skd_watch_mapping(start, a.size([0, 16]))
      }
    ),
    (
      "skd_unwatch_mapping",
      { a in
        skd_unwatch_mapping(a.floats(4)); return nil
      }
    ),
    (
      "skd_mapping_is_damaged",
      { a in
        precondition(skd_mapping_is_damaged(a.floats(4)) == 0); return nil
      }
    ),
    (
      "skd_available_memory",
      { _ in
        precondition(skd_available_memory() >= 0); return nil
      }
    ),
    (
      "skd_live_memory",
      { _ in
        precondition(skd_live_memory() >= 0); return nil
      }
    ),
    (
      "skd_conv2d_forward",
      { a in
        let s = a.convolution()
        return skd_conv2d_forward(
          a.floats(s.inputExtents), a.floats(s.weightExtents), a.floats(s.output_channels),
          a.reference(s), a.floats(s.outputExtents))
      }
    ),
    (
      "skd_conv2d_backward",
      { a in
        let s = a.convolution()
        return skd_conv2d_backward(
          a.floats(s.inputExtents), a.floats(s.weightExtents), a.floats(s.outputExtents),
          a.reference(s), a.floats(s.inputExtents), a.floats(s.weightExtents),
          a.floats(s.output_channels))
      }
    ),
    (
      "skd_batch_norm_forward_train",
      { a in
        let (rows, channels) = (a.size(), a.size())
        return skd_batch_norm_forward_train(
          a.floats(rows, channels), rows, channels, a.floats(channels), a.floats(channels),
          a.float([1e-5]), a.float([0.1]), a.floats(channels), a.floats(channels),
          a.floats(rows, channels), a.floats(channels), a.floats(channels))
      }
    ),
    (
      "skd_batch_norm_forward_eval",
      { a in
        let (rows, channels) = (a.size(), a.size())
        return skd_batch_norm_forward_eval(
          a.floats(rows, channels), rows, channels, a.floats(channels), a.floats(channels),
          a.float([1e-5]), a.floats(channels), a.floats(channels), a.floats(rows, channels))
      }
    ),
    (
      "skd_batch_norm_backward",
      { a in
        let (rows, channels) = (a.size(), a.size())
        return skd_batch_norm_backward(
          a.floats(rows, channels), a.floats(rows, channels), rows, channels, a.floats(channels),
          a.floats(channels), a.floats(channels), a.code(0...1), a.floats(rows, channels),
          a.floats(channels), a.floats(channels))
      }
    ),
    (
      "skd_leaky_relu_forward",
      { a in
        let count = a.size()
        return skd_leaky_relu_forward(a.floats(count), count, a.float(), a.floats(count))
      }
    ),
    (
      "skd_leaky_relu_backward",
      { a in
        let count = a.size()
        return skd_leaky_relu_backward(
          a.floats(count), a.floats(count), count, a.float(), a.floats(count))
      }
    ),
    (
      "skd_max_pool2d_forward",
      { a in
        let s = a.shape()
        return skd_max_pool2d_forward(
          a.floats(s.extents), a.reference(s), a.floats(s.extents))
      }
    ),
    (
      "skd_max_pool2d_backward",
      { a in
        let s = a.shape()
        return skd_max_pool2d_backward(
          a.floats(s.extents), a.floats(s.extents), a.reference(s), a.floats(s.extents))
      }
    ),
    (
      "skd_global_average_pool_forward",
      { a in
        let s = a.shape()
        return skd_global_average_pool_forward(
          a.floats(s.extents), a.reference(s), a.floats(s.batch, s.channels))
      }
    ),
    (
      "skd_global_average_pool_backward",
      { a in
        let s = a.shape()
        return skd_global_average_pool_backward(
          a.floats(s.batch, s.channels), a.reference(s), a.floats(s.extents))
      }
    ),
    (
      "skd_linear_forward",
      { a in
        let (rows, inputs, outputs) = (a.size(), a.size(), a.size())
        return skd_linear_forward(
          a.floats(rows, inputs), a.floats(outputs, inputs), a.floats(outputs), rows, inputs,
          outputs, a.floats(rows, outputs))
      }
    ),
    (
      "skd_linear_backward",
      { a in
        let (rows, inputs, outputs) = (a.size(), a.size(), a.size())
        return skd_linear_backward(
          a.floats(rows, inputs), a.floats(outputs, inputs), a.floats(rows, outputs), rows, inputs,
          outputs, a.floats(rows, inputs), a.floats(outputs, inputs), a.floats(outputs))
      }
    ),
    (
      "skd_dropout_mask",
      { a in
        let count = a.size()
        return skd_dropout_mask(count, a.float(), a.next(), a.size(), a.bytes(count))
      }
    ),
    (
      "skd_dropout_apply",
      { a in
        let count = a.size()
        return skd_dropout_apply(a.floats(count), a.bytes(count), count, a.float(), a.floats(count))
      }
    ),
    (
      "skd_drop_block_gamma",
      { a in
        skd_drop_block_gamma(a.double(), a.size(), a.size(), a.size(), a.doubles(1))
      }
    ),
    (
      "skd_drop_block_corners",
      { a in
        let s = a.shape()
        return skd_drop_block_corners(
          a.reference(s), a.size([1, 2, 3]), a.double(), a.next(), a.size(), a.bytes(s.extents))
      }
    ),
    (
      "skd_drop_block_apply",
      { a in
        let s = a.shape()
        return skd_drop_block_apply(
          a.floats(s.extents), a.bytes(s.extents), a.reference(s), a.size([1, 2, 3]),
          a.floats(s.extents), a.floats(1))
      }
    ),
    (
      "skd_squeeze_excitation_forward",
      { a in
        let (s, hidden) = (a.shape(), a.size())
        return skd_squeeze_excitation_forward(
          a.floats(s.extents), a.reference(s), hidden, a.floats(hidden, s.channels),
          a.floats(hidden), a.floats(s.channels, hidden), a.floats(s.channels),
          a.floats(s.extents))
      }
    ),
    (
      "skd_squeeze_excitation_backward",
      { a in
        let (s, hidden) = (a.shape(), a.size())
        return skd_squeeze_excitation_backward(
          a.floats(s.extents), a.floats(s.extents), a.reference(s), hidden,
          a.floats(hidden, s.channels), a.floats(hidden), a.floats(s.channels, hidden),
          a.floats(s.channels), a.floats(s.extents), a.floats(hidden, s.channels),
          a.floats(hidden), a.floats(s.channels, hidden), a.floats(s.channels))
      }
    ),
    (
      "skd_rotate_images",
      { a in
        let (batch, channels, side) = (a.size(), a.size(), a.size())
        return skd_rotate_images(
          a.floats(batch, channels, side, side), batch, channels, side, a.code(0...3),
          a.floats(batch, channels, side, side))
      }
    ),
    (
      "skd_sgd_step",
      { a in
        let count = a.size()
        return skd_sgd_step(
          a.floats(count), a.floats(count), a.floats(count), count, a.float(), a.float(),
          a.float(), a.code(0...1))
      }
    ),
    (
      "skd_cross_entropy",
      { a in
        let (rows, classes) = (a.size(), a.size())
        return skd_cross_entropy(
          a.floats(rows, classes), a.integers(rows, below: classes), rows, classes, a.floats(1),
          a.floats(rows, classes))
      }
    ),
    (
      "skd_bce_with_logits",
      { a in
        let (rows, classes) = (a.size(), a.size())
        return skd_bce_with_logits(
          a.floats(rows, classes), a.integers(rows, below: classes), rows, classes, a.floats(1),
          a.floats(rows, classes))
      }
    ),
    (
      "skd_distill_kl",
      { a in
        let (rows, classes) = (a.size(), a.size())
        return skd_distill_kl(
          a.floats(rows, classes), a.floats(rows, classes), rows, classes, a.float(), a.floats(1),
          a.floats(rows, classes))
      }
    ),
    (
      "skd_twin_l2",
      { a in
        let (rows, classes) = (a.size(), a.size())
        return skd_twin_l2(
          a.floats(rows, classes), a.floats(rows, classes), rows, classes, a.floats(1),
          a.floats(rows, classes), a.floats(rows, classes))
      }
    ),
    (
      "skd_step_learning_rate",
      { a in
        let count = a.size()
        return skd_step_learning_rate(
          a.size(), a.double(), a.double(), a.integers(count, below: 9), count, a.doubles(1))
      }
    ),
    (
      "skd_cosine_learning_rate",
      { a in skd_cosine_learning_rate(a.size(), a.size(), a.double(), a.double(), a.doubles(1)) }
    ),
    (
      "skd_one_cycle_learning_rate",
      { a in
        skd_one_cycle_learning_rate(
          a.double(), a.double(), a.double(), a.double(), a.double(), a.doubles(1))
      }
    ),
    // It takes 0.3 seconds where it succeeds.
    (
      "skd_peak_gflops",
      { a in skd_peak_gflops(a.element(of: [0, -1, 257, .min, .max]), a.doubles(1)) }
    ),
    (
      "skd_conv2d_algorithm",
      { a in
        skd_conv2d_algorithm(a.reference(a.convolution()), a.code(0...3), a.array([1]) { Int32(0) })
      }
    ),
    (
      "skd_conv2d_time",
      { a in
        let (s, runs) = (a.convolution(small: true), a.size([0, 1, 2]))
        return skd_conv2d_time(
          a.reference(s), a.code(0...3), a.code(0...3), runs, a.doubles(runs), a.doubles(runs))
      }
    ),
  ]
}

extension RandomArguments {
  func shape() -> skd_image_shape {
    skd_image_shape(
      batch: size([0, 1, 2, 3]), height: size([1, 2, 3, 5, 8]), width: size([1, 2, 3, 5, 8]),
      channels: size([1, 2, 3, 5, 16, 32]))
  }

  /// - Parameter small: Whether the library can allocate the arrays; if not, the sizes are absurd.
  func convolution(small: Bool = false) -> skd_conv2d_shape {
    var shape = skd_conv2d_shape(
      input: self.shape(), output_channels: size([1, 2, 5, 16, 32]),
      kernel_size: size([1, 2, 3, 5]),
      stride: size([1, 1, 2]), padding: size([0, 1, 1, 2]))
    if small && shape.input.extents.contains(where: { $0 > 100 }) { shape.stride = 3 }
    if small && shape.output_channels > 100 { shape.kernel_size = 12 }
    return shape
  }

  func floats(_ extents: [Int64]) -> UnsafeMutablePointer<Float>? {
    switch extents.count {
    case 1: return floats(extents[0])
    default: return floats(extents[0], extents[1], extents[2], extents[3])
    }
  }

  func bytes(_ extents: [Int64]) -> UnsafeMutablePointer<UInt8>? {
    bytes(extents[0], extents[1], extents[2], extents[3])
  }
}

extension skd_image_shape {
  var extents: [Int64] { [batch, height, width, channels] }
}

extension skd_conv2d_shape {
  var inputExtents: [Int64] { input.extents }
  var weightExtents: [Int64] { [output_channels, input.channels, kernel_size, kernel_size] }
  /// No less than those of a stride of 1 and the largest padding that is legal.
  var outputExtents: [Int64] {
    func side(_ side: Int64) -> Int64 {
      side > 1 << 32 ? side : side + 2 * max(min(padding, 11), 0)
    }
    return [input.batch, side(input.height), side(input.width), output_channels]
  }
}
