import SKDKernels
import SKDTestSupport
import XCTest

@testable import SKDNN

final class OperationMemoryTests: XCTestCase {
  // By Winograd, by matrix products, and as a linear layer.
  private let geometries = [
    Conv2DGeometry(
      input: ImageShape(batch: 2, height: 9, width: 9, channels: 24), outputChannels: 40,
      kernelSize: 3, padding: 1),
    Conv2DGeometry(
      input: ImageShape(batch: 2, height: 9, width: 9, channels: 3), outputChannels: 17,
      kernelSize: 5, stride: 2, padding: 2),
    Conv2DGeometry(
      input: ImageShape(batch: 7, height: 1, width: 1, channels: 33), outputChannels: 5,
      kernelSize: 1),
  ]

  func testAnOperationDoesNotSeeWhatTheLastOneLeft() throws {
    for geometry in geometries {
      let before = try results(geometry)
      try OperationMemory.lend([1 << 20], for: "a test") {
        $0[0].update(repeating: .nan, count: 1 << 20)
      }
      XCTAssertEqual(try results(geometry), before)
    }
  }

  func testMemoryIsAlignedAndServesTheNextOperation() throws {
    var first: [UnsafeMutablePointer<Float>] = []
    try OperationMemory.lend([17, 0, 5], for: "a test") { first = $0 }
    XCTAssertEqual(first.map { Int(bitPattern: $0) % 64 }, [0, 0, 0])
    XCTAssertEqual([first[1] - first[0], first[2] - first[0]], [32, 32])
    try OperationMemory.lend([3], for: "a test") { XCTAssertEqual($0[0], first[0]) }
  }

  func testAnOperationWithinAnotherHasMemoryOfItsOwn() throws {
    try OperationMemory.lend([8], for: "a test") { outer in
      outer[0][0] = 1
      try OperationMemory.lend([8], for: "a test") { inner in
        XCTAssertNotEqual(inner[0], outer[0])
        inner[0][0] = 2
      }
      XCTAssertEqual(outer[0][0], 1)
    }
  }

  func testMoreThanThereIsIsRefused() {
    XCTAssertThrowsError(
      try OperationMemory.lend([1 << 45], for: "a test") { _ in XCTFail("it was lent") })
  }

  /// Output and gradients of a convolution.
  private func results(_ geometry: Conv2DGeometry) throws -> [[Float]] {
    func made(_ name: String, _ count: Int) -> [Float] { fill(name, shape: [count], seed: 1) }
    let input = made("input", geometry.input.count)
    let weight = made("weight", geometry.weightCount)
    let bias = made("bias", geometry.outputChannels)
    let dOutput = made("dOutput", geometry.output.count)
    var output = [Float](repeating: 0, count: dOutput.count)
    var (dInput, dWeight, dBias) = (input, weight, bias)
    try Functional.conv2D(geometry, input: input, weight: weight, bias: bias, output: &output)
    try Functional.conv2DBackward(
      geometry, input: input, weight: weight, dOutput: dOutput, dInput: &dInput,
      dWeight: &dWeight, dBias: &dBias)
    return [output, dInput, dWeight, dBias]
  }
}
