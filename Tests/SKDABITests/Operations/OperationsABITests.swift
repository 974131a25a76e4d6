import CSKD
import SKDABI
import XCTest

/// That every operation, loss and schedule of skd.h does its work on legal arguments, by numbers
/// that can be checked by hand. The arithmetic itself is proved in SKDKernelsTests.
final class OperationsABITests: XCTestCase {
  func testBatchNormForwardTrainByHand() {
    var (runningMean, runningVariance): ([Float], [Float]) = ([0], [1])
    var (output, mean, inverseStd): ([Float], [Float], [Float]) = ([9, 9], [9], [9])
    assertOK(
      skd_batch_norm_forward_train(
        [1, 3], 2, 1, [2], [5], 1e-10, 0.5, &runningMean, &runningVariance, &output, &mean,
        &inverseStd))
    XCTAssertEqual(output, [3, 7])
    XCTAssertEqual([mean[0], inverseStd[0], runningMean[0], runningVariance[0]], [2, 1, 1, 1.5])
  }

  func testBatchNormForwardEvalByHand() {
    var output: [Float] = [9, 9]
    assertOK(skd_batch_norm_forward_eval([1, 3], 2, 1, [2], [5], 1, [1], [3], &output))
    XCTAssertEqual(output, [5, 7])
  }

  func testBatchNormBackwardByHand() {
    var (dInput, dWeight, dBias): ([Float], [Float], [Float]) = ([9, 9, 9, 9], [9], [9])
    let input: [Float] = [-1, 1, -1, 1]
    assertOK(
      skd_batch_norm_backward(
        input, [1, 0, 0, 0], 4, 1, [2], [0], [1], 1, &dInput, &dWeight, &dBias))
    XCTAssertEqual(dInput, [1, 0, -1, 0])
    XCTAssertEqual([dWeight[0], dBias[0]], [-1, 1])
    assertOK(
      skd_batch_norm_backward(
        input, [1, 0, 0, 0], 4, 1, [2], [0], [1], 0, &dInput, &dWeight, &dBias))
    XCTAssertEqual(dInput, [2, 0, 0, 0])
  }

  func testElementwiseOperationsByHand() {
    var output: [Float] = [9, 9, 9]
    assertOK(skd_leaky_relu_forward([-2, 0, 2], 3, 0.5, &output))
    XCTAssertEqual(output, [-1, 0, 2])
    assertOK(skd_leaky_relu_backward([-2, 0, 2], [4, 4, 4], 3, 0.5, &output))
    XCTAssertEqual(output, [2, 2, 4])
    assertOK(skd_dropout_apply([1, 2, 3], [1, 0, 1], 3, 0.5, &output))
    XCTAssertEqual(output, [2, 0, 6])
    var (parameter, velocity): ([Float], [Float]) = ([1], [9])
    assertOK(skd_sgd_step(&parameter, [0.5], &velocity, 1, 0.5, 0.5, 0.25, 1))
    XCTAssertEqual([parameter[0], velocity[0]], [0.625, 0.75])
  }

  func testEmptyElementwiseOperationsDoNothing() {
    var output: [Float] = [9]
    assertOK(skd_leaky_relu_forward([1], 0, 0.5, &output))
    assertOK(skd_rotate_images([1], 0, 3, 8, 1, &output))
    XCTAssertEqual(output, [9])
  }

  func testImageOperationsByHand() {
    var shape = skd_image_shape(batch: 1, height: 2, width: 3, channels: 1)
    var (one, six): ([Float], [Float]) = ([9], [9, 9, 9, 9, 9, 9])
    let input: [Float] = [1, 2, 7, 4, 3, 7]
    assertOK(skd_max_pool2d_forward(input, &shape, &one))
    XCTAssertEqual(one, [4])
    assertOK(skd_max_pool2d_backward(input, [5], &shape, &six))
    XCTAssertEqual(six, [0, 0, 0, 5, 0, 0])
    assertOK(skd_global_average_pool_forward(input, &shape, &one))
    XCTAssertEqual(one, [4])
    assertOK(skd_global_average_pool_backward([12], &shape, &six))
    XCTAssertEqual(six, [2, 2, 2, 2, 2, 2])
    var rotated: [Float] = [9, 9, 9, 9]
    assertOK(skd_rotate_images([0, 1, 2, 3], 1, 1, 2, 1, &rotated))
    XCTAssertEqual(rotated, [1, 3, 0, 2])
  }

  func testDropoutMaskDependsOnSeedAndStepOnly() {
    func mask(seed: UInt64, step: Int64) -> [UInt8] {
      var kept = [UInt8](repeating: 9, count: 100)
      assertOK(skd_dropout_mask(100, 0.5, seed, step, &kept))
      return kept
    }
    XCTAssertEqual(mask(seed: 1, step: 1), mask(seed: 1, step: 1))
    XCTAssertNotEqual(mask(seed: 1, step: 1), mask(seed: 2, step: 1))
    XCTAssertNotEqual(mask(seed: 1, step: 1), mask(seed: 1, step: 2))
    XCTAssertEqual(Set(mask(seed: 1, step: 1)), [0, 1])
  }

  func testDropBlockByHand() {
    var gamma = 9.0
    assertOK(skd_drop_block_gamma(0.1, 2, 4, 20_000, &gamma))
    XCTAssertEqual(gamma, 0.2 / 9, accuracy: 1e-15)
    var shape = skd_image_shape(batch: 1, height: 2, width: 3, channels: 1)
    var corners: [UInt8] = [9, 9]
    assertOK(skd_drop_block_corners(&shape, 2, 1, 0, 0, &corners))
    XCTAssertEqual(corners, [1, 1])
    var (output, scale): ([Float], Float) = ([9, 9, 9, 9, 9, 9], 9)
    assertOK(skd_drop_block_apply([1, 2, 3, 4, 5, 6], [1, 0], &shape, 2, &output, &scale))
    XCTAssertEqual(output, [0, 0, 9, 0, 0, 18])
    XCTAssertEqual(scale, 3)
    assertOK(skd_drop_block_apply([1, 2, 3, 4, 5, 6], [1, 1], &shape, 2, &output, nil))
    XCTAssertEqual(output, [0, 0, 0, 0, 0, 0])
  }

  func testSqueezeExcitationByHand() {
    // Weight2 is 0: the gate is 1/2 everywhere. Units are relu(1 * 2) = 2.
    var shape = skd_image_shape(batch: 1, height: 1, width: 2, channels: 1)
    var output: [Float] = [9, 9]
    assertOK(skd_squeeze_excitation_forward([1, 3], &shape, 1, [1], [0], [0], [0], &output))
    XCTAssertEqual(output, [0.5, 1.5])
    var (dInput, dWeight1, dBias1): ([Float], [Float], [Float]) = ([9, 9], [9], [9])
    var (dWeight2, dBias2): ([Float], [Float]) = ([9], [9])
    assertOK(
      skd_squeeze_excitation_backward(
        [1, 3], [1, 1], &shape, 1, [1], [0], [0], [0], &dInput, &dWeight1, &dBias1, &dWeight2,
        &dBias2))
    XCTAssertEqual(dInput, [0.5, 0.5])
    XCTAssertEqual([dWeight1[0], dBias1[0], dWeight2[0], dBias2[0]], [0, 0, 2, 1])
  }

  func testLossesByHand() {
    var (loss, gradient): (Float, [Float]) = (9, [9, 9])
    assertOK(skd_cross_entropy([2, 2], [1], 1, 2, &loss, &gradient))
    XCTAssertEqual(loss, 0.6931472, accuracy: 1e-6)
    XCTAssertEqual(gradient, [0.5, -0.5])
    assertOK(skd_bce_with_logits([0, 0], [1], 1, 2, &loss, &gradient))
    XCTAssertEqual(loss, 0.6931472, accuracy: 1e-6)
    XCTAssertEqual(gradient, [0.25, -0.25])
    assertOK(skd_distill_kl([1, 1], [0, 0], 1, 2, 4, &loss, &gradient))
    XCTAssertEqual([loss] + gradient, [0, 0, 0])
    var other: [Float] = [9, 9]
    assertOK(skd_twin_l2([3, 4], [0, 0], 1, 2, &loss, &gradient, &other))
    XCTAssertEqual([loss] + gradient + other, [5, 0.6, 0.8, -0.6, -0.8])
    assertOK(skd_twin_l2([3, 4], [0, 0], 1, 2, &loss, nil, nil))
    assertOK(skd_cross_entropy([2, 2], [1], 1, 2, &loss, nil))
  }

  func testSchedulesByHand() {
    var rate = 9.0
    assertOK(skd_step_learning_rate(3, 1, 0.5, [2, 3], 2, &rate))
    XCTAssertEqual(rate, 0.5)
    assertOK(skd_step_learning_rate(3, 1, 0.5, nil, 0, &rate))
    XCTAssertEqual(rate, 1)
    assertOK(skd_cosine_learning_rate(10, 10, 1, 0.5, &rate))
    XCTAssertEqual(rate, 0.125, accuracy: 1e-15)
  }
}
