import CSKD
import Dispatch
import SKDABI
import SKDTestSupport
import XCTest

final class ConvolutionABITests: XCTestCase {
  /// Just large enough: see `testLargeConvolutionsGoByWinograd`.
  private let winograd = Conv2DReference(4, 32, 32, 64, 64, kernelSize: 3, stride: 1, padding: 1)

  func testLargeConvolutionsGoByWinograd() {
    var shape = winograd.shape
    var algorithm: Int32 = -1
    assertOK(skd_conv2d_algorithm(&shape, Int32(SKD_CONV2D_FORWARD), &algorithm))
    XCTAssertEqual(algorithm, Int32(SKD_CONV2D_WINOGRAD))
  }

  func testConvolutionMatchesNaiveReference() {
    let cases: [(Conv2DReference, hasBias: Bool)] = [
      (Conv2DReference(1, 1, 1, 1, 1, kernelSize: 1, stride: 1, padding: 0), true),
      (Conv2DReference(2, 5, 7, 3, 5, kernelSize: 3, stride: 1, padding: 1), true),
      (Conv2DReference(2, 6, 5, 31, 33, kernelSize: 3, stride: 2, padding: 0), false),
      (Conv2DReference(1, 3, 4, 5, 40, kernelSize: 5, stride: 2, padding: 4), true),
      (Conv2DReference(3, 5, 2, 33, 2, kernelSize: 1, stride: 2, padding: 0), false),
      (Conv2DReference(1, 2, 12, 2, 3, kernelSize: 11, stride: 1, padding: 10), true),
      (winograd, true),
    ]
    for (reference, hasBias) in cases {
      var shape = reference.shape
      let call = ConvolutionCall(reference, hasBias: hasBias)
      let status = call.run(
        forward: { skd_conv2d_forward($0, $1, $2, &shape, $3) },
        backward: { skd_conv2d_backward($0, $1, $2, &shape, $3, $4, $5) })
      XCTAssertEqual(status, [0, 0])
      call.check()
    }
  }

  func testLinearLayerMatchesNaiveReference() {
    for (rows, inputs, outputs) in [(1, 1, 1), (6, 40, 17), (3, 32, 64), (130, 33, 5)] {
      for hasBias in [false, true] {
        let call = ConvolutionCall(
          Conv2DReference(rows, 1, 1, inputs, outputs, kernelSize: 1, stride: 1, padding: 0),
          hasBias: hasBias)
        let (rows, inputs, outputs) = (Int64(rows), Int64(inputs), Int64(outputs))
        let status = call.run(
          forward: { skd_linear_forward($0, $1, $2, rows, inputs, outputs, $3) },
          backward: { skd_linear_backward($0, $1, $2, rows, inputs, outputs, $3, $4, $5) })
        XCTAssertEqual(status, [0, 0])
        call.check()
      }
    }
  }

  func testBackwardWritesOnlyTheGradientsAskedFor() {
    let reference = Conv2DReference(2, 4, 5, 32, 32, kernelSize: 3, stride: 1, padding: 1)
    var shape = reference.shape
    let all = ConvolutionCall(reference, hasBias: true)
    XCTAssertEqual(
      skd_conv2d_backward(
        all.input.pointer, all.weight.pointer, all.dOutput.pointer, &shape, all.dInput.pointer,
        all.dWeight.pointer, all.dBias.pointer), 0)
    for asked in 0..<8 {
      let some = ConvolutionCall(reference, hasBias: true)
      let gradients = [some.dInput, some.dWeight, some.dBias]
      let pointers = (0..<3).map { asked >> $0 & 1 == 1 ? gradients[$0].pointer : nil }
      XCTAssertEqual(
        skd_conv2d_backward(
          some.input.pointer, some.weight.pointer, some.dOutput.pointer, &shape, pointers[0],
          pointers[1], pointers[2]), 0)
      for (i, expected) in [all.dInput, all.dWeight, all.dBias].enumerated() {
        if pointers[i] == nil {
          XCTAssertTrue(gradients[i].values.allSatisfy(\.isNaN))
        } else {
          XCTAssertEqual(gradients[i].values, expected.values)
        }
      }
      XCTAssertTrue(some.areIntact)
    }
    XCTAssertTrue(all.areIntact)
  }

  func testConcurrentCallsGiveTheSameResults() {
    let reference = winograd
    nonisolated(unsafe) let calls = (0..<5).map { _ in ConvolutionCall(reference, hasBias: true) }
    @Sendable func run(_ call: Int) {
      var shape = reference.shape
      let status = calls[call].run(
        forward: { skd_conv2d_forward($0, $1, $2, &shape, $3) },
        backward: { skd_conv2d_backward($0, $1, $2, &shape, $3, $4, $5) })
      XCTAssertEqual(status, [0, 0])
    }
    run(4)  // alone
    DispatchQueue.concurrentPerform(iterations: 4, execute: run)
    for call in calls {
      XCTAssertEqual(call.results, calls[4].results)
      XCTAssertTrue(call.areIntact)
    }
  }

  // MARK: Bad input

  func testConvolutionRejectsBadShapes() {
    let reference = Conv2DReference(2, 4, 5, 3, 2, kernelSize: 3, stride: 1, padding: 1)
    let huge = Int64(1) << 40
    let changes: [(named: String, (inout skd_conv2d_shape) -> Void)] = [
      ("shape.input.batch", { $0.input.batch = 0 }),
      ("shape.input.batch", { $0.input.batch = -1 }),
      ("shape.input.height", { $0.input.height = 0 }),
      ("shape.input.width", { $0.input.width = .min }),
      ("shape.input.channels", { $0.input.channels = huge + 1 }),
      ("shape.input", { ($0.input.batch, $0.input.height) = (huge, huge) }),
      ("shape.output_channels", { $0.output_channels = 0 }),
      ("shape.output_channels", { $0.output_channels = .max }),
      ("weight of shape", { $0.output_channels = huge }),
      ("output of shape", { ($0.output_channels, $0.input.height) = (1 << 20, 1 << 20) }),
      ("shape.kernel_size", { $0.kernel_size = 0 }),
      ("shape.kernel_size", { $0.kernel_size = 12 }),
      ("shape.kernel_size", { ($0.kernel_size, $0.padding) = (7, 1) }),
      ("shape.kernel_size", { ($0.input.width, $0.padding) = (2, 0) }),
      ("shape.stride", { $0.stride = 0 }),
      ("shape.stride", { $0.stride = 3 }),
      ("shape.padding", { $0.padding = -1 }),
      ("shape.padding", { $0.padding = 3 }),
    ]
    for (name, change) in changes {
      var shape = reference.shape
      change(&shape)
      let call = ConvolutionCall(reference, hasBias: true)
      let status = call.run(
        forward: {
          let status = skd_conv2d_forward($0, $1, $2, &shape, $3)
          assertLastError(startsWith: "\(name) of conv2d_forward must ")
          return status
        },
        backward: {
          let status = skd_conv2d_backward($0, $1, $2, &shape, $3, $4, $5)
          assertLastError(startsWith: "\(name) of conv2d_backward must ")
          return status
        })
      XCTAssertEqual(status, [Int32(SKD_INVALID_ARGUMENT), Int32(SKD_INVALID_ARGUMENT)], name)
      XCTAssertTrue(call.areUntouched, name)
    }
  }

  func testLinearLayerRejectsBadSizes() {
    let reference = Conv2DReference(2, 1, 1, 3, 4, kernelSize: 1, stride: 1, padding: 0)
    let huge = Int64(1) << 40
    let cases: [(named: String, rows: Int64, inputs: Int64, outputs: Int64)] = [
      ("rows", 0, 3, 4), ("rows", -2, 3, 4), ("rows", huge + 1, 3, 4),
      ("input_features", 2, 0, 4), ("input_features", 2, .max, 4),
      ("output_features", 2, 3, 0), ("output_features", 2, 3, .min),
      ("rows * input_features", huge, 3, 4),
      ("input_features * output_features", 1, 1 << 21, 1 << 20),
      ("rows * output_features", 1 << 21, 1, 1 << 20),
    ]
    for (name, rows, inputs, outputs) in cases {
      let call = ConvolutionCall(reference, hasBias: true)
      let status = call.run(
        forward: {
          let status = skd_linear_forward($0, $1, $2, rows, inputs, outputs, $3)
          assertLastError(startsWith: "\(name) of linear_forward must ")
          return status
        },
        backward: {
          let status = skd_linear_backward($0, $1, $2, rows, inputs, outputs, $3, $4, $5)
          assertLastError(startsWith: "\(name) of linear_backward must ")
          return status
        })
      XCTAssertEqual(status, [Int32(SKD_INVALID_ARGUMENT), Int32(SKD_INVALID_ARGUMENT)], name)
      XCTAssertTrue(call.areUntouched, name)
    }
  }

  func testNullArgumentsAreNamed() {
    let reference = Conv2DReference(2, 1, 1, 3, 4, kernelSize: 1, stride: 1, padding: 0)
    let call = ConvolutionCall(reference, hasBias: true)
    var shape = reference.shape
    func check(_ status: skd_status, _ name: String) {
      XCTAssertEqual(status, skd_status(SKD_INVALID_ARGUMENT), name)
      XCTAssertEqual(String(cString: skd_last_error()), "\(name) must not be NULL")
    }
    let (input, weight) = (call.input.pointer, call.weight.pointer)
    let (dOutput, output) = (call.dOutput.pointer, call.output.pointer)
    let (dInput, dWeight, dBias) = (call.dInput.pointer, call.dWeight.pointer, call.dBias.pointer)

    check(skd_conv2d_forward(nil, weight, nil, &shape, output), "input of conv2d_forward")
    check(skd_conv2d_forward(input, nil, nil, &shape, output), "weight of conv2d_forward")
    check(skd_conv2d_forward(input, weight, nil, nil, output), "shape of conv2d_forward")
    check(skd_conv2d_forward(input, weight, nil, &shape, nil), "output of conv2d_forward")
    check(
      skd_conv2d_backward(nil, weight, dOutput, &shape, dInput, dWeight, dBias),
      "input of conv2d_backward")
    check(
      skd_conv2d_backward(input, nil, dOutput, &shape, dInput, dWeight, dBias),
      "weight of conv2d_backward")
    check(
      skd_conv2d_backward(input, weight, nil, &shape, dInput, dWeight, dBias),
      "d_output of conv2d_backward")
    check(
      skd_conv2d_backward(input, weight, dOutput, nil, dInput, dWeight, dBias),
      "shape of conv2d_backward")
    check(skd_linear_forward(nil, weight, nil, 2, 3, 4, output), "input of linear_forward")
    check(skd_linear_forward(input, nil, nil, 2, 3, 4, output), "weight of linear_forward")
    check(skd_linear_forward(input, weight, nil, 2, 3, 4, nil), "output of linear_forward")
    check(
      skd_linear_backward(nil, weight, dOutput, 2, 3, 4, dInput, dWeight, dBias),
      "input of linear_backward")
    check(
      skd_linear_backward(input, nil, dOutput, 2, 3, 4, dInput, dWeight, dBias),
      "weight of linear_backward")
    check(
      skd_linear_backward(input, weight, nil, 2, 3, 4, dInput, dWeight, dBias),
      "d_output of linear_backward")
    XCTAssertTrue(call.areUntouched)
  }

  /// The sizes are legal, but the packed weights would take two terabytes.
  func testWeightsThatDoNotFitAreReportedBeforeAnythingIsTouched() {
    let call = ConvolutionCall(
      Conv2DReference(1, 1, 1, 1, 1, kernelSize: 1, stride: 1, padding: 0), hasBias: true)
    let side = Int64(1) << 20
    let status = call.run(
      forward: { skd_linear_forward($0, $1, $2, 1, side, side / 2, $3) },
      backward: { skd_linear_backward($0, $1, $2, 1, side, side / 2, $3, $4, $5) })
    XCTAssertEqual(status, [Int32(SKD_OUT_OF_MEMORY), Int32(SKD_OUT_OF_MEMORY)])
    XCTAssertTrue(call.areUntouched)
  }

  private func assertLastError(startsWith start: String, line: UInt = #line) {
    let message = String(cString: skd_last_error())
    XCTAssertTrue(message.hasPrefix(start), "\(message) instead of \(start)", line: line)
    XCTAssertTrue(message.contains("; got "), message, line: line)
  }
}

/// The arguments of one forward and one backward call, in guarded memory; outputs start out NaN.
private struct ConvolutionCall {
  var reference: Conv2DReference
  let hasBias: Bool
  let input, weight, bias, dOutput: GuardedBuffer
  let output, dInput, dWeight, dBias: GuardedBuffer

  init(_ reference: Conv2DReference, hasBias: Bool) {
    self.reference = reference
    self.hasBias = hasBias
    let outputs = reference.outputs
    func values(_ name: String, _ count: Int) -> [Float] { fill(name, shape: [count], seed: 1) }
    self.reference.input = values("input", reference.inputCount)
    self.reference.dOutput = values("dOutput", reference.outputCount)
    self.reference.weight = values("weight", reference.weightCount)
    self.reference.bias = hasBias ? values("bias", outputs) : nil
    input = GuardedBuffer(self.reference.input)
    weight = GuardedBuffer(
      reference.oihwOrder.map { [reference = self.reference] in
        reference.weight[$0]
      })
    bias = GuardedBuffer(self.reference.bias ?? [])
    dOutput = GuardedBuffer(self.reference.dOutput)
    output = GuardedBuffer(count: reference.outputCount)
    dInput = GuardedBuffer(count: reference.inputCount)
    dWeight = GuardedBuffer(count: reference.weightCount)
    dBias = GuardedBuffer(count: outputs)
  }

  /// Both calls' status.
  func run(
    forward: (
      _ input: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
      _ output: UnsafeMutablePointer<Float>
    ) -> skd_status,
    backward: (
      _ input: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
      _ dOutput: UnsafePointer<Float>, _ dInput: UnsafeMutablePointer<Float>,
      _ dWeight: UnsafeMutablePointer<Float>, _ dBias: UnsafeMutablePointer<Float>
    ) -> skd_status
  ) -> [Int32] {
    [
      forward(
        input.pointer, weight.pointer, hasBias ? UnsafePointer(bias.pointer) : nil,
        output.pointer),
      backward(
        input.pointer, weight.pointer, dOutput.pointer, dInput.pointer, dWeight.pointer,
        dBias.pointer),
    ]
  }

  private var outputs: [GuardedBuffer] { [output, dInput, dWeight, dBias] }

  var results: [[Float]] { outputs.map(\.values) }

  var areIntact: Bool { ([input, weight, bias, dOutput] + outputs).allSatisfy(\.isIntact) }

  var areUntouched: Bool {
    areIntact && results.joined().allSatisfy(\.isNaN)
  }

  /// Asserts what the formulas say, for some values of large results.
  func check(line: UInt = #line) {
    let tolerance = 1e-5  // of the kernels' own tests
    func compare(_ actual: GuardedBuffer, order: [Int]? = nil, _ expected: (Int) -> Double) {
      let indices = Array(stride(from: 0, to: actual.count, by: 1 + actual.count / 2000))
      assertClose(
        indices.map { actual.values[$0] }, indices.map { Float(expected(order?[$0] ?? $0)) },
        relative: tolerance, "\(reference.shape)", line: line)
    }
    compare(output, reference.output)
    compare(dInput, reference.dInput)
    compare(dWeight, order: reference.oihwOrder, reference.dWeight)
    compare(dBias, reference.dBias)
    XCTAssertTrue(areIntact, "\(reference.shape)", line: line)
  }
}

extension Conv2DReference {
  fileprivate init(
    _ batch: Int, _ height: Int, _ width: Int, _ inputs: Int, _ outputs: Int, kernelSize: Int,
    stride: Int, padding: Int
  ) {
    self.init(
      batch: batch, height: height, width: width, inputs: inputs, outputs: outputs,
      kernelSize: kernelSize, stride: stride, padding: padding)
  }

  fileprivate var shape: skd_conv2d_shape {
    skd_conv2d_shape(
      input: skd_image_shape(
        batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(inputs)),
      output_channels: Int64(outputs), kernel_size: Int64(kernelSize), stride: Int64(stride),
      padding: Int64(padding))
  }

  /// Where the weights are that OIHW order would list.
  fileprivate var oihwOrder: [Int] {
    let taps = kernelSize * kernelSize
    return (0..<weightCount).map { index in
      let (tap, i, o) = (index % taps, index / taps % inputs, index / taps / inputs)
      return (tap * inputs + i) * outputs + o
    }
  }
}
