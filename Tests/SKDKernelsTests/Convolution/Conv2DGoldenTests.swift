import SKDTestSupport
import XCTest

@testable import SKDKernels

/// Convolutions by every algorithm that supports them, and a linear layer, against PyTorch
/// (`kernels.npz`; float64 there).
final class Conv2DGoldenTests: XCTestCase {
  func testConvolutionMatchesPyTorch() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    var algorithms: Set<Conv2DAlgorithm> = []
    for number in 0..<(try fixture.integer("conv.count")) {
      let key = "conv\(number)"
      let cfg = try fixture.integers("\(key).cfg")
      let (batch, inputs, outputs, side) = (cfg[0], cfg[1], cfg[2], cfg[3])
      let (kernelSize, stride) = (cfg[4], cfg[5])
      let shape = [batch, inputs, side, side]
      let weightShape = [outputs, inputs, kernelSize, kernelSize]
      let outputShape = try fixture.integers("\(key).y.shape")

      var test = Conv2DCase(
        batch: batch, height: side, width: side, inputs: inputs, outputs: outputs,
        kernelSize: kernelSize, stride: stride, padding: kernelSize / 2)
      XCTAssertEqual(
        outputShape, [batch, outputs, test.reference.outputHeight, test.reference.outputWidth])
      test.reference.input = nhwcFromNCHW(fill("\(key).x", shape: shape, seed: seed), shape: shape)
      test.reference.weight = stored(
        fill("\(key).weight", shape: weightShape, seed: seed), test.geometry)
      test.reference.bias = fill("\(key).bias", shape: [outputs], seed: seed)
      test.reference.dOutput = nhwcFromNCHW(
        fill("\(key).gy", shape: outputShape, seed: seed), shape: outputShape)

      // Measured: 2e-6 by Winograd, 9e-7 otherwise; 0 for the bias.
      func check(_ values: [Float], _ name: String) throws {
        try assertSamples(values, fixture, "\(key).\(name)", 1e-5)
      }
      for algorithm in [Conv2DAlgorithm.gemm, .winograd] where algorithm.supports(test.geometry) {
        test.algorithm = algorithm
        algorithms.insert(algorithm)
        try check(nchwFromNHWC(test.forward().values, shape: outputShape), "y")
        try check(nchwFromNHWC(test.backwardInput().values, shape: shape), "g.x")
        try check(oihw(test.backwardWeight().values, test.geometry), "g.weight")
      }
      try check(test.biasGradient().values, "g.bias")
    }
    XCTAssertEqual(algorithms, [.gemm, .winograd], "the fixture has shapes for both")
  }

  func testLinearLayerMatchesPyTorch() throws {
    let fixture = try Fixture(named: "kernels")
    let seed = try fixture.integer("seed.data")
    let outputShape = try fixture.integers("linear.y.shape")
    let (rows, inputs, outputs) = (outputShape[0], 40, outputShape[1])
    var test = Conv2DCase(
      batch: rows, height: 1, width: 1, inputs: inputs, outputs: outputs, kernelSize: 1)
    test.reference.input = fill("linear.x", shape: [rows, inputs], seed: seed)
    test.reference.weight = stored(
      fill("linear.weight", shape: [outputs, inputs], seed: seed), test.geometry)
    test.reference.bias = fill("linear.bias", shape: [outputs], seed: seed)
    test.reference.dOutput = fill("linear.gy", shape: outputShape, seed: seed)

    // Measured: 2e-7.
    func check(_ values: [Float], _ name: String) throws {
      try assertSamples(values, fixture, "linear.\(name)", 2e-6)
    }
    try check(test.forward().values, "y")
    try check(test.backwardInput().values, "g.input")
    try check(oihw(test.backwardWeight().values, test.geometry), "g.weight")
    try check(test.biasGradient().values, "g.bias")
  }

  private func stored(_ weight: [Float], _ geometry: Conv2DGeometry) -> [Float] {
    let storage = GuardedBuffer(count: weight.count)
    geometry.storeOIHW(weight, into: storage.pointer)
    XCTAssertTrue(storage.isIntact)
    return storage.values
  }

  private func oihw(_ storage: [Float], _ geometry: Conv2DGeometry) -> [Float] {
    let weight = GuardedBuffer(count: storage.count)
    geometry.loadOIHW(storage, into: weight.pointer)
    XCTAssertTrue(weight.isIntact)
    return weight.values
  }

  private func assertSamples(
    _ values: [Float], _ fixture: Fixture, _ key: String, _ tolerance: Double, line: UInt = #line
  ) throws {
    let indices = try fixture.integers("\(key).idx")
    assertClose(
      indices.map { values[$0] }, try fixture.floats("\(key).val"), relative: tolerance, key,
      line: line)
  }
}
