import CSKD
import SKDABI
import SKDRuntime
import XCTest

final class MeasurementABITests: XCTestCase {
  private let untouched = -1.0

  func testPeakIsFiniteAndPositiveForOneThreadAndForAll() {
    for threads in Set([1, skd_get_num_threads()]) {
      var gflops = untouched
      assertOK(skd_peak_gflops(threads, &gflops))
      XCTAssertTrue(gflops.isFinite && gflops > 0, "\(gflops)")
    }
  }

  func testPeakRefusesThreadsThatTheLibraryDoesNotUse() {
    var gflops = untouched
    for threads in [0, -1, skd_get_num_threads() + 1, .max] {
      assertRefused(skd_peak_gflops(threads, &gflops), "threads of peak_gflops")
    }
    assertRefused(skd_peak_gflops(1, nil), "gflops of peak_gflops")
    XCTAssertEqual(gflops, untouched)
  }

  func testAlgorithmIsWinogradForManyProductsOfEligibleShapesOnly() {
    let (forward, evaluation) = (Int32(SKD_CONV2D_FORWARD), Int32(SKD_CONV2D_EVALUATION))
    let cases: [(skd_conv2d_shape, pass: Int32, Int)] = [
      (shape(batch: 64, side: 32, inputs: 64, outputs: 64), forward, Int(SKD_CONV2D_WINOGRAD)),
      (shape(batch: 64, side: 32, inputs: 3, outputs: 64), forward, Int(SKD_CONV2D_GEMM)),
      (
        shape(batch: 64, side: 32, inputs: 64, outputs: 64, kernel: 1), forward,
        Int(SKD_CONV2D_GEMM)
      ),
      (shape(batch: 1, side: 4, inputs: 32, outputs: 32), forward, Int(SKD_CONV2D_GEMM)),
      (shape(batch: 1, side: 16, inputs: 96, outputs: 96), forward, Int(SKD_CONV2D_GEMM)),
      (shape(batch: 1, side: 16, inputs: 96, outputs: 96), evaluation, Int(SKD_CONV2D_WINOGRAD)),
    ]
    for (shape, pass, expected) in cases {
      var shape = shape
      var algorithm: Int32 = -1
      assertOK(skd_conv2d_algorithm(&shape, pass, &algorithm))
      XCTAssertEqual(Int(algorithm), expected, "\(shape)")
    }
  }

  func testAlgorithmRefusesNullAndIllegalShapes() {
    var legal = shape(batch: 1, side: 4, inputs: 32, outputs: 32)
    var illegal = shape(batch: 0, side: 4, inputs: 32, outputs: 32)
    var algorithm: Int32 = -1
    assertRefused(skd_conv2d_algorithm(nil, 0, &algorithm), "shape of conv2d_algorithm")
    assertRefused(skd_conv2d_algorithm(&legal, 0, nil), "algorithm of conv2d_algorithm")
    assertRefused(skd_conv2d_algorithm(&illegal, 0, &algorithm), "batch of conv2d_algorithm")
    for pass: Int32 in [-1, 4] {
      assertRefused(skd_conv2d_algorithm(&legal, pass, &algorithm), "pass of conv2d_algorithm")
    }
    XCTAssertEqual(algorithm, -1)
  }

  func testEveryPassIsTimedByEveryAlgorithmThatSupportsIt() {
    for algorithm in [
      SKD_CONV2D_AUTOMATIC, SKD_CONV2D_WINOGRAD, SKD_CONV2D_GEMM, SKD_CONV2D_WINOGRAD_BFLOAT16,
    ] {
      for pass in [
        SKD_CONV2D_FORWARD, SKD_CONV2D_INPUT_GRADIENT, SKD_CONV2D_WEIGHT_GRADIENT,
        SKD_CONV2D_EVALUATION,
      ] {
        var shape = shape(batch: 2, side: 5, inputs: 32, outputs: 64)
        var pack = [Double](repeating: untouched, count: 4)
        var kernel = pack
        assertOK(skd_conv2d_time(&shape, Int32(pass), Int32(algorithm), 3, &pack, &kernel))
        XCTAssertTrue(kernel[..<3].allSatisfy { $0.isFinite && $0 > 0 }, "\(kernel)")
        // Which algorithm packs is its own affair; the weight gradient reads no weights.
        let readsWeights = Int(pass) != Int(SKD_CONV2D_WEIGHT_GRADIENT)
        XCTAssertTrue(pack[..<3].allSatisfy { $0.isFinite && $0 >= 0 }, "\(pack)")
        XCTAssertTrue(readsWeights || pack[..<3] == [0, 0, 0], "\(pack)")
        XCTAssertEqual([pack[3], kernel[3]], [untouched, untouched])
      }
    }
  }

  func testTimingRefusesIllegalArguments() {
    var eligible = shape(batch: 2, side: 5, inputs: 32, outputs: 32)
    var pointwise = shape(batch: 2, side: 5, inputs: 32, outputs: 32, kernel: 1)
    var (pack, kernel) = (untouched, untouched)
    assertRefused(skd_conv2d_time(nil, 0, 0, 1, &pack, &kernel), "shape of conv2d_time")
    assertRefused(skd_conv2d_time(&eligible, 0, 0, 1, nil, &kernel), "pack_seconds of conv2d_time")
    assertRefused(skd_conv2d_time(&eligible, 0, 0, 1, &pack, nil), "seconds of conv2d_time")
    for code: Int32 in [-1, 4] {
      assertRefused(skd_conv2d_time(&eligible, code, 0, 1, &pack, &kernel), "pass of conv2d_time")
    }
    for code: Int32 in [-1, 4] {
      assertRefused(
        skd_conv2d_time(&eligible, 0, code, 1, &pack, &kernel), "algorithm of conv2d_time")
    }
    for runs: Int64 in [0, 10_001] {
      assertRefused(skd_conv2d_time(&eligible, 0, 0, runs, &pack, &kernel), "runs of conv2d_time")
    }
    assertRefused(
      skd_conv2d_time(&pointwise, 0, Int32(SKD_CONV2D_WINOGRAD), 1, &pack, &kernel),
      "algorithm of conv2d_time must support the shape")
    XCTAssertEqual([pack, kernel], [untouched, untouched])
  }

  func testTimingRefusesWhatFitsOnlyOneByOne() {
    var (pack, kernel) = (untouched, untouched)
    let floats = Int64(MachineMemory.availableBytes() / 4)
    // Its input and its output each take 0.6 of the memory.
    var large = shape(batch: floats * 6 / 10 / 65_536, side: 32, inputs: 64, outputs: 64, kernel: 1)
    XCTAssertEqual(skd_conv2d_time(&large, 0, 0, 1, &pack, &kernel), Int32(SKD_OUT_OF_MEMORY))
    let message = String(cString: skd_last_error())
    XCTAssertTrue(message.hasPrefix("a convolution with its data does not fit"), message)
    XCTAssertEqual([pack, kernel], [untouched, untouched])
  }

  private func shape(batch: Int64, side: Int64, inputs: Int64, outputs: Int64, kernel: Int64 = 3)
    -> skd_conv2d_shape
  {
    skd_conv2d_shape(
      input: skd_image_shape(batch: batch, height: side, width: side, channels: inputs),
      output_channels: outputs, kernel_size: kernel, stride: 1, padding: kernel / 2)
  }
}
