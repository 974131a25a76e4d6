import SKDTestSupport
import XCTest

@testable import SKDKernels

/// A tile by itself, with 32 channels.
struct WinogradTestTile {
  static let planeStride = 48
  let rows, columns: Int

  private var images: ImageShape {
    ImageShape(batch: 1, height: rows, width: columns, channels: 32)
  }

  private var slots: WinogradSlots { WinogradTiling(images).slots(of: 0, after: 0) }

  private func window(rows: Int, columns: Int) -> WinogradWindow {
    WinogradWindow(
      ImageShape(batch: 1, height: rows, width: columns, channels: 32), image: 0, top: 0, left: 0,
      rows: rows, columns: columns)
  }

  /// Memory for the values at the points, all NaN.
  func planes() -> GuardedBuffer {
    GuardedBuffer(count: Winograd.planes * Self.planeStride, alignment: 64)
  }

  private func target(_ planes: GuardedBuffer) -> WinogradPlanes<UnsafeMutablePointer<Float>> {
    WinogradPlanes(base: planes.pointer, planeStride: Self.planeStride, blockStride: 32)
  }

  func inputToPoints(_ input: [Float]) -> GuardedBuffer {
    let (planes, input) = (planes(), GuardedBuffer(input))
    WinogradInputTile(
      images: input.pointer, window: window(rows: rows + 2, columns: columns + 2),
      normalization: nil, target: target(planes), slots: slots
    ).run(rows: rows, columns: columns)
    XCTAssertTrue(planes.isIntact && input.isIntact)
    return planes
  }

  func gradientToPoints(_ gradient: [Float]) -> GuardedBuffer {
    let (planes, gradient) = (planes(), GuardedBuffer(gradient))
    WinogradGradientTile(
      gradients: gradient.pointer, window: window(rows: rows, columns: columns),
      target: target(planes), slots: slots
    ).run(rows: rows, columns: columns)
    XCTAssertTrue(planes.isIntact && gradient.isIntact)
    return planes
  }

  func outputFromPoints(_ points: GuardedBuffer) -> [Float] {
    let output = GuardedBuffer(count: images.count)
    WinogradOutputTile(
      source: WinogradPlanes(
        base: UnsafePointer(points.pointer), planeStride: Self.planeStride, blockStride: 32),
      slots: slots, channels: 0..<32, window: window(rows: rows, columns: columns),
      outputs: output.pointer, epilogue: AffineEpilogue(bias: nil, slope: 1)
    ).run(rows: rows, columns: columns)
    XCTAssertTrue(points.isIntact && output.isIntact)
    return output.values
  }
}
