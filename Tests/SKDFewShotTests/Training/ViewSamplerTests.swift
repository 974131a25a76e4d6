import XCTest

@testable import SKDFewShot

final class ViewSamplerTests: XCTestCase {
  private func drawn(_ views: Int, images: Int, seed: UInt64 = 1, step: Int = 3, first: Int = 0)
    -> [Rotation]
  {
    ViewSampler(seed: seed, step: step, first: first).rotations(
      ofImages: images, for: Generation0Objective(rotationWeight: 2, viewsPerImage: views))
  }

  func testAllViewsAreTakenInTheirOrder() {
    XCTAssertEqual(
      drawn(4, images: 2),
      [
        .none, .none, .quarterTurn, .quarterTurn, .halfTurn, .halfTurn, .threeQuarterTurn,
        .threeQuarterTurn,
      ])
  }

  func testViewsOfAnImageDiffer() {
    for views in 1...3 {
      let rotations = drawn(views, images: 50)
      XCTAssertEqual(rotations.count, 50 * views)
      for image in 0..<50 {
        let own = Set((0..<views).map { rotations[$0 * 50 + image] })
        XCTAssertEqual(own.count, views)
      }
    }
  }

  /// Each of 4 rotations has probability 1/4; 5 standard deviations of 2000 draws are 97.
  func testRotationsAreUniform() {
    let rotations = drawn(2, images: 1000)
    for rotation in Rotation.allCases {
      XCTAssertEqual(Double(rotations.count { $0 == rotation }), 500, accuracy: 97)
    }
  }

  func testADrawDependsOnSeedStepAndPositionInTheWholeBatchAlone() {
    let whole = drawn(2, images: 20)
    XCTAssertEqual(whole, drawn(2, images: 20))
    XCTAssertNotEqual(whole, drawn(2, images: 20, seed: 2))
    XCTAssertNotEqual(whole, drawn(2, images: 20, step: 4))
    let part = drawn(2, images: 5, first: 10)
    XCTAssertEqual(part, Array(whole[10..<15] + whole[30..<35]))
  }
}
