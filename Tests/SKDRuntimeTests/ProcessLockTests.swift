import Dispatch
import SKDRuntime
import XCTest

final class ProcessLockTests: XCTestCase {
  func testALockIsTakenOnceUntilItIsReleased() {
    let lock = ProcessLock()
    XCTAssertEqual(lock.tryToLock(), .acquired)
    XCTAssertEqual(lock.tryToLock(), .isHeld)
    XCTAssertFalse(lock.tryToSeize())
    XCTAssertFalse(lock.isLost)
    lock.unlock()
    XCTAssertTrue(lock.tryToSeize())
    XCTAssertEqual(lock.tryToLock(), .isHeld)
    lock.unlock()
    XCTAssertEqual(lock.tryToLock(), .acquired)
  }

  func testOneThreadAtATimeHoldsTheLock() {
    let lock = ProcessLock()
    // Plain memory: an unlocked increment would lose counts.
    let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    defer { count.deallocate() }
    count.pointee = 0
    nonisolated(unsafe) let shared = count
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<200 {
        while lock.tryToLock() != .acquired { sched_yield() }
        shared.pointee += 1
        lock.unlock()
      }
    }
    XCTAssertEqual(count.pointee, 800)
  }
}
