import SKDTestSupport
import XCTest

final class FixtureTests: XCTestCase {
  func testReadsFloatsIntegersAndScalars() throws {
    let fixture = try Fixture(named: "losses")
    let shape = try fixture.shape("logits")
    XCTAssertEqual(shape.count, 2)
    XCTAssertEqual(try fixture.floats("logits").count, shape.reduce(1, *))
    XCTAssertEqual(try fixture.integers("targets").count, shape[0])
    XCTAssertTrue(try fixture.integers("targets").allSatisfy { (0..<shape[1]).contains($0) })
    XCTAssertEqual(try fixture.shape("ce.value"), [])
    XCTAssertGreaterThan(try fixture.float("ce.value"), 0)
    XCTAssertTrue(fixture.contains("ce.grad"))
    XCTAssertFalse(fixture.contains("ce.gard"))
    XCTAssertEqual(fixture.keys, fixture.keys.sorted())
  }

  func testReadsEveryFixture() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Fixture.directory)
    for file in files where file.hasSuffix(".npz") {
      XCTAssertFalse(try Fixture(named: String(file.dropLast(4))).keys.isEmpty, file)
    }
  }

  func testFailuresNameFileAndKey() throws {
    XCTAssertThrowsError(try Fixture(named: "absent")) {
      XCTAssertTrue("\($0)".hasSuffix("absent.npz"), "\($0)")
    }
    let fixture = try Fixture(named: "losses")
    XCTAssertThrowsError(try fixture.floats("nothing")) {
      XCTAssertTrue("\($0)".contains("losses.npz has no key 'nothing'"), "\($0)")
    }
    XCTAssertThrowsError(try fixture.integers("logits"))
    XCTAssertThrowsError(try fixture.float("logits"))
  }

  func testRejectsAFileThatIsNoZip() {
    XCTAssertThrowsError(try Fixture(path: #filePath)) {
      XCTAssertTrue("\($0)".contains("not a zip file"), "\($0)")
    }
  }
}
