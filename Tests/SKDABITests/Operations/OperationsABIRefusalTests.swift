import CSKD
import SKDABI
import XCTest

/// That every operation, loss and schedule of skd.h refuses illegal arguments with a reason, and
/// leaves its outputs untouched.
final class OperationsABIRefusalTests: XCTestCase {
  // Outputs of every type; no call of this file may write to them.
  private let x = UnsafeMutablePointer<Float>.allocate(capacity: 4)
  private let b = UnsafeMutablePointer<UInt8>.allocate(capacity: 4)
  private let d = UnsafeMutablePointer<Double>.allocate(capacity: 1)

  override func setUp() {
    x.initialize(repeating: 9, count: 4)
    b.initialize(repeating: 9, count: 4)
    d.initialize(to: 9)
  }

  override func tearDown() {
    XCTAssertEqual((0..<4).map { x[$0] }, [9, 9, 9, 9])
    XCTAssertEqual((0..<4).map { b[$0] }, [9, 9, 9, 9])
    XCTAssertEqual(d.pointee, 9)
  }

  deinit {
    x.deallocate()
    b.deallocate()
    d.deallocate()
  }

  func testNullPointersAreRefused() {
    var shape = skd_image_shape(batch: 1, height: 2, width: 2, channels: 1)
    assertRefused(skd_leaky_relu_forward(nil, 4, 0, x), "input of leaky_relu_forward")
    assertRefused(skd_leaky_relu_forward([1], 4, 0, nil), "output of leaky_relu_forward")
    assertRefused(skd_leaky_relu_backward([1], nil, 1, 0, x), "d_output of leaky_relu_backward")
    assertRefused(skd_max_pool2d_forward([1], nil, x), "shape of max_pool2d_forward")
    assertRefused(skd_max_pool2d_backward([1], [1], &shape, nil), "d_input of max_pool2d_backward")
    assertRefused(
      skd_global_average_pool_forward(nil, &shape, x), "input of global_average_pool_forward")
    assertRefused(
      skd_global_average_pool_backward([1], &shape, nil), "d_input of global_average_pool_backward")
    assertRefused(skd_dropout_mask(4, 0.5, 0, 0, nil), "kept of dropout_mask")
    assertRefused(skd_dropout_apply([1], nil, 1, 0.5, x), "kept of dropout_apply")
    assertRefused(skd_drop_block_gamma(0.1, 1, 1, 1, nil), "gamma of drop_block_gamma")
    assertRefused(skd_drop_block_corners(nil, 1, 0.5, 0, 0, b), "shape of drop_block_corners")
    assertRefused(
      skd_drop_block_apply([1], nil, &shape, 1, x, nil), "corners of drop_block_apply")
    assertRefused(
      skd_squeeze_excitation_forward([1], &shape, 1, [1], nil, [1], [1], x),
      "bias1 of squeeze_excitation_forward")
    assertRefused(
      skd_squeeze_excitation_backward(
        [1], [1], &shape, 1, [1], [1], [1], [1], x, nil, x, x, x),
      "d_weight1 of squeeze_excitation_backward")
    assertRefused(skd_rotate_images([1], 1, 1, 1, 0, nil), "rotated of rotate_images")
    assertRefused(skd_sgd_step(nil, [1], x, 1, 0, 0, 0, 1), "parameter of sgd_step")
    assertRefused(
      skd_batch_norm_forward_eval([1], 1, 1, nil, [1], 1, [1], [1], x),
      "weight of batch_norm_forward_eval")
    assertRefused(
      skd_batch_norm_forward_train([1, 2], 2, 1, [1], [1], 1, 0, nil, nil, x, x, x),
      "running_mean of batch_norm_forward_train")
    assertRefused(
      skd_batch_norm_backward([1], [1], 1, 1, [1], [1], [1], 0, x, x, nil),
      "d_bias of batch_norm_backward")
    assertRefused(skd_cross_entropy([1], nil, 1, 1, x, nil), "labels of cross_entropy")
    assertRefused(skd_bce_with_logits([1], [0], 1, 1, nil, nil), "loss of bce_with_logits")
    assertRefused(skd_distill_kl([1], nil, 1, 1, 1, x, nil), "teacher of distill_kl")
    assertRefused(skd_twin_l2([1], nil, 1, 1, x, nil, nil), "upright of twin_l2")
    assertRefused(skd_step_learning_rate(1, 1, 1, nil, 1, d), "milestones of step_learning_rate")
    assertRefused(skd_cosine_learning_rate(1, 1, 1, 1, nil), "rate of cosine_learning_rate")
  }

  func testSizesOutsideTheirDomainAreRefused() {
    let huge = Int64.max
    assertRefused(skd_leaky_relu_forward([1], -1, 0, x), "count of leaky_relu_forward")
    assertRefused(skd_dropout_mask(huge, 0.5, 0, 0, b), "count of dropout_mask")
    assertRefused(skd_cross_entropy([1], [0], 0, 1, x, nil), "rows of cross_entropy")
    assertRefused(skd_cross_entropy([1], [0], 1, 0, x, nil), "classes of cross_entropy")
    assertRefused(skd_twin_l2([1], [1], 1 << 30, 1 << 30, x, nil, nil), "rows * classes")
    assertRefused(
      skd_batch_norm_forward_train([1], 1, 1, [1], [1], 1, 0, x, x, x, x, x),
      "rows of batch_norm_forward_train")
    assertRefused(
      skd_batch_norm_backward([1], [1], 1, -3, [1], [1], [1], 0, x, x, x),
      "channels of batch_norm_backward")
    assertRefused(skd_rotate_images([1], -1, 1, 1, 0, x), "batch of rotate_images")
    assertRefused(skd_rotate_images([1], 0, 1 << 39, 1 << 39, 0, x), "images of rotate_images")
    for extents in [[0, 2, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], [1, 2, 2, -1], [huge, 2, 2, 1]] {
      var shape = skd_image_shape(
        batch: extents[0], height: extents[1], width: extents[2], channels: extents[3])
      assertRefused(skd_max_pool2d_forward([1], &shape, x), "shape")
      assertRefused(skd_max_pool2d_backward([1], [1], &shape, x), "shape")
    }
    var shape = skd_image_shape(batch: 1, height: 2, width: 3, channels: 1)
    assertRefused(skd_drop_block_corners(&shape, 3, 0.5, 0, 0, b), "block_size")
    assertRefused(skd_drop_block_apply([1], [1], &shape, 0, x, nil), "block_size")
    assertRefused(
      skd_squeeze_excitation_forward([1], &shape, 0, [1], [1], [1], [1], x), "hidden")
    shape.height = 1 << 20
    shape.width = 1 << 20
    shape.channels = 1 << 20
    assertRefused(skd_global_average_pool_forward([1], &shape, x), "shape")
  }

  func testNumbersOutsideTheirDomainAreRefused() {
    var shape = skd_image_shape(batch: 1, height: 1, width: 1, channels: 1)
    for slope in [Float.nan, .infinity] {
      assertRefused(skd_leaky_relu_forward([1], 1, slope, x), "slope of leaky_relu_forward")
      assertRefused(skd_sgd_step(x, [1], x, 1, slope, 0, 0, 0), "learning_rate of sgd_step")
    }
    for rate in [Float.nan, -0.1, 1] {
      assertRefused(skd_dropout_mask(1, rate, 0, 0, b), "rate of dropout_mask")
      assertRefused(skd_dropout_apply([1], [1], 1, rate, x), "rate of dropout_apply")
    }
    for probability in [Double.nan, -0.1, 1.1] {
      assertRefused(skd_drop_block_gamma(probability, 1, 1, 1, d), "rate of drop_block_gamma")
      assertRefused(skd_drop_block_corners(&shape, 1, probability, 0, 0, b), "gamma")
    }
    assertRefused(skd_drop_block_gamma(0.1, 2, 1, 1, d), "block_size of drop_block_gamma")
    assertRefused(skd_drop_block_gamma(0.1, 1, 1, -1, d), "step of drop_block_gamma")
    assertRefused(skd_dropout_mask(1, 0.5, 0, -1, b), "step of dropout_mask")
    for eps in [Float.nan, 0, -1, .infinity] {
      assertRefused(
        skd_batch_norm_forward_eval([1], 1, 1, [1], [1], eps, [1], [1], x),
        "eps of batch_norm_forward_eval")
    }
    assertRefused(
      skd_batch_norm_forward_eval([1], 1, 1, [1], [1], 1, [1], [-1], x), "running_var")
    assertRefused(
      skd_batch_norm_forward_train([1, 2], 2, 1, [1], [1], 1, 1.5, x, x, x, x, x), "momentum")
    assertRefused(
      skd_batch_norm_backward([1], [1], 1, 1, [1], [1], [1], 2, x, x, x), "batch_statistics")
    assertRefused(skd_sgd_step(x, [1], x, 1, 0, 0, 0, -1), "first_step")
    for turns in [-1, 4] as [Int32] {
      assertRefused(
        skd_rotate_images([1], 1, 1, 1, turns, x),
        "quarter_turns of rotate_images must be in 0...3; got \(turns)")
    }
    for temperature in [Float.nan, 0, -1, .infinity] {
      assertRefused(skd_distill_kl([1], [1], 1, 1, temperature, x, nil), "temperature")
    }
    for label in [-1, 2, Int64.max, .min] {
      assertRefused(skd_cross_entropy([1, 2], [label], 1, 2, x, nil), "got \(label) at index 0")
      assertRefused(skd_bce_with_logits([1, 2], [label], 1, 2, x, nil), "got \(label) at index 0")
    }
    assertRefused(skd_step_learning_rate(0, 1, 1, nil, 0, d), "epoch of step_learning_rate")
    assertRefused(skd_step_learning_rate(1, .nan, 1, nil, 0, d), "base of step_learning_rate")
    assertRefused(skd_step_learning_rate(1, 1, 1, nil, -1, d), "milestone_count")
    assertRefused(skd_cosine_learning_rate(11, 10, 1, 1, d), "epoch of cosine_learning_rate")
    assertRefused(skd_cosine_learning_rate(0, 0, 1, 1, d), "epochs of cosine_learning_rate")
    assertRefused(skd_cosine_learning_rate(1, 10, 1, -1, d), "factor of cosine_learning_rate")
  }

  func testScratchThatDoesNotFitIntoMemoryIsReported() {
    var shape = skd_image_shape(batch: 1 << 39, height: 1, width: 1, channels: 1)
    let status = skd_squeeze_excitation_forward([1], &shape, 2, [1], [1], [1], [1], x)
    XCTAssertEqual(status, skd_status(SKD_OUT_OF_MEMORY))
  }
}
