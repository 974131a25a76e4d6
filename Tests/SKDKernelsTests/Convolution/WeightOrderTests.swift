import SKDTestSupport
import XCTest

@testable import SKDKernels

final class WeightOrderTests: XCTestCase {
  func testReorderingPutsEachWeightWhereTheFormulaSays() {
    for (inputs, outputs, side) in [(1, 1, 1), (3, 5, 3), (33, 2, 1), (2, 31, 5)] {
      let geometry = Conv2DGeometry(
        input: ImageShape(batch: 1, height: side, width: side, channels: inputs),
        outputChannels: outputs, kernelSize: side)
      let weight = fill("weight", shape: [outputs, inputs, side, side], seed: 1)
      let storage = GuardedBuffer(count: weight.count)
      geometry.storeOIHW(weight, into: storage.pointer)
      for o in 0..<outputs {
        for i in 0..<inputs {
          for y in 0..<side {
            for x in 0..<side {
              XCTAssertEqual(
                storage.pointer[((y * side + x) * inputs + i) * outputs + o],
                weight[((o * inputs + i) * side + y) * side + x])
            }
          }
        }
      }
      let back = GuardedBuffer(count: weight.count)
      geometry.loadOIHW(storage.pointer, into: back.pointer)
      XCTAssertEqual(back.values, weight)
      XCTAssertTrue(storage.isIntact && back.isIntact)
    }
  }
}
