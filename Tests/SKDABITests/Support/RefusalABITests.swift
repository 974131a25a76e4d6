import CSKD
import SKDABI
import XCTest

/// The parts of a refusal, which a caller spells in words of its own.
final class RefusalABITests: XCTestCase {
  func testPartsAreThoseOfTheSentence() throws {
    var loss: Float = 0
    assertRefused(skd_cross_entropy([0, 0], [2], 1, 2, &loss, nil), "labels of cross_entropy")
    let refusal = try XCTUnwrap(skd_last_refusal()).pointee
    XCTAssertEqual(text(refusal.argument), "labels")
    XCTAssertEqual(text(refusal.owner), "cross_entropy")
    XCTAssertEqual(text(refusal.legal), "be in 0...1")
    XCTAssertEqual(text(refusal.got), "2 at index 0")
    XCTAssertEqual(
      [Int64(refusal.has_bounds), refusal.minimum, refusal.maximum, refusal.value], [1, 0, 1, 2])
    XCTAssertNil(refusal.unit)
  }

  func testACountOfElementsHasAUnit() throws {
    var output = [Float](repeating: 0, count: 1)
    assertRefused(skd_l2_normalize([1], 1 << 30, 1 << 30, nil, &output), "features of l2_normalize")
    let refusal = try XCTUnwrap(skd_last_refusal()).pointee
    XCTAssertEqual(text(refusal.unit), "elements")
    XCTAssertEqual([refusal.maximum, refusal.value], [1 << 40, 1 << 60])
  }

  func testNoBoundsWhereThereAreNone() throws {
    assertRefused(skd_model_lock(nil), "model of model_lock must not be NULL")
    let refusal = try XCTUnwrap(skd_last_refusal()).pointee
    XCTAssertEqual(refusal.has_bounds, 0)
    XCTAssertNil(refusal.got)
  }

  func testEachThreadHasItsOwn() throws {
    assertRefused(skd_model_lock(nil), "model of model_lock")
    let ended = expectation(description: "the other thread has ended")
    let thread = Thread {
      XCTAssertNil(skd_last_refusal())
      XCTAssertEqual(String(cString: skd_last_error()), "")
      XCTAssertEqual(skd_trainer_lock(nil), skd_status(SKD_INVALID_ARGUMENT))
      XCTAssertEqual(text(skd_last_refusal()?.pointee.owner), "trainer_lock")
      ended.fulfill()
    }
    thread.start()
    wait(for: [ended], timeout: 10)
    XCTAssertEqual(text(skd_last_refusal()?.pointee.owner), "model_lock")
  }
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
  pointer.map { String(cString: $0) }
}
