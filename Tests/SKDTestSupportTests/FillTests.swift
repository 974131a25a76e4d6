import XCTest

@testable import SKDTestSupport

final class FillTests: XCTestCase {
  func testHashOfKnownNames() {
    XCTAssertEqual(fnv1a64(""), 0xcbf2_9ce4_8422_2325)
    XCTAssertEqual(fnv1a64("input"), 0x1ebb_ae8f_5810_b65b)
    XCTAssertEqual(fnv1a64("layer1.0.conv1.weight"), 0x721d_90ca_2264_c0ea)
  }

  func testKnownBits() {
    XCTAssertEqual(
      randomBits("input", count: 2, seed: 1 << 32), [0xe3e6_1ab2_fe02_caee, 0xbbc5_7182_e474_c460])
    XCTAssertEqual(fillBytes("image", shape: [4], seed: 1 << 32), [150, 4, 189, 59])
  }

  /// The table `KNOWN` of `reference/fill.py`.
  func testFirstFourValuesHaveKnownBitPatterns() {
    let known: [(name: String, shape: [Int], seed: Int, patterns: [UInt32])] = [
      ("input", [4], 0, [0xbf4d_eac2, 0xbf34_7db0, 0x3e17_b990, 0x3f34_98bc]),
      ("input", [3, 3, 32, 32], 1 << 32, [0x3f47_cc34, 0x3eef_15c4, 0xbf7a_f5e8, 0xbebb_b764]),
      (
        "layer1.0.conv1.weight", [64, 3, 3, 3], 1 << 32,
        [0x3d9c_b697, 0xbbe3_ba44, 0xbda9_cfa8, 0x3d55_079b]
      ),
      (
        "layer2.0.downsample.0.weight", [160, 64, 1, 1], 1 << 32,
        [0x3e25_a93e, 0xbab1_147f, 0x3da5_06a9, 0xbd22_e66c]
      ),
      (
        "layer1.0.bn1.weight", [64], 1 << 32,
        [0x3f66_7e49, 0x3f83_8c62, 0x3f70_f099, 0x3f6b_6bfb]
      ),
      ("layer1.0.bn1.bias", [64], 1 << 32, [0xbd89_a9f0, 0x3dcc_a946, 0x3d67_e343, 0x3d7d_0a40]),
      (
        "layer1.0.bn1.running_mean", [64], 1 << 32,
        [0x3dcc_34ed, 0xbcdb_797a, 0x3d94_2688, 0x3c01_eb1a]
      ),
      (
        "layer1.0.bn1.running_var", [64], 1 << 32,
        [0x3fb3_4612, 0x3f90_c7c5, 0x3f91_3c5a, 0x3fbf_71c0]
      ),
      (
        "classifier.weight", [64, 640], 1 << 32,
        [0x3cb4_9b00, 0x3d0b_df88, 0x3c94_41a0, 0x3cd7_9e6b]
      ),
      ("classifier.bias", [64], 2 << 32, [0x3d17_7200, 0x3d94_413a, 0xbdba_4070, 0x3dba_1a70]),
    ]
    for (name, shape, seed, patterns) in known {
      XCTAssertEqual(
        fill(name, shape: shape, seed: seed).prefix(4).map(\.bitPattern), patterns, name)
    }
  }

  func testLayoutsAreInverse() {
    // [1, 2, 1, 3]: two channels of three pixels.
    XCTAssertEqual(nhwcFromNCHW([1, 2, 3, 4, 5, 6], shape: [1, 2, 1, 3]), [1, 4, 2, 5, 3, 6])
    let shape = [2, 3, 4, 5]
    let values = Array(0..<120)
    XCTAssertEqual(nchwFromNHWC(nhwcFromNCHW(values, shape: shape), shape: shape), values)
  }
}
