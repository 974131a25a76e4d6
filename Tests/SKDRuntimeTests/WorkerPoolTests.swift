import SKDRuntime
import Synchronization
import XCTest

final class WorkerPoolTests: XCTestCase {
  private let pool = WorkerPool.shared
  private var threadsBefore = 1

  override func setUp() { threadsBefore = pool.threadCount }

  override func tearDown() { pool.threadCount = threadsBefore }

  func testEveryItemRunsExactlyOnce() {
    for threads in 1...3 {
      pool.threadCount = threads
      for count in [0, 1, 2, 3, 7, 16, 1_000] {
        XCTAssertEqual(visits(count), [Int](repeating: 1, count: count), "\(threads) threads")
      }
    }
  }

  func testManyLoopsInARowLoseNothing() {
    for threads in 1...3 {
      pool.threadCount = threads
      let total = Atomic<Int>(0)
      for _ in 0..<2_000 {
        pool.forEach(5) { item, _ in total.add(item, ordering: .relaxed) }
      }
      XCTAssertEqual(total.load(ordering: .relaxed), 2_000 * 10)
    }
  }

  func testLoopsThatFindTheWorkersAsleepLoseNothing() {
    let clock = ContinuousClock()
    for threads in 1...3 {
      pool.threadCount = threads
      for loop in 0..<200 {
        // Some pauses end before the workers sleep, some while they go to sleep, some after.
        let end = clock.now.advanced(by: .microseconds(loop))
        while clock.now < end {}
        XCTAssertEqual(visits(3), [1, 1, 1])
      }
    }
  }

  func testThreadCountMayChangeBetweenLoops() {
    for loop in 0..<300 {
      pool.threadCount = 1 + loop % 3
      XCTAssertEqual(visits(17), [Int](repeating: 1, count: 17))
    }
  }

  func testWorkerNumbersAreBelowTheThreadCountAndNotShared() {
    for threads in 1...3 {
      pool.threadCount = threads
      let busy = (0..<3).map { _ in Counter() }
      let mistakes = Atomic<Int>(0)
      pool.forEach(500) { _, worker in
        if worker >= threads || busy[worker].increment() != 1 {
          mistakes.add(1, ordering: .relaxed)
        }
        busy[worker].decrement()
      }
      XCTAssertEqual(mistakes.load(ordering: .relaxed), 0)
    }
  }

  func testNestedLoopsRunOnTheirCaller() {
    for threads in 1...3 {
      pool.threadCount = threads
      let total = Atomic<Int>(0)
      pool.forEach(20) { _, _ in
        pool.forEach(30) { item, worker in
          total.add(worker == 0 ? item : 1_000_000, ordering: .relaxed)
        }
      }
      XCTAssertEqual(total.load(ordering: .relaxed), 20 * 435)
    }
  }

  func testLoopsOfSeveralThreadsAtOnceAllComplete() {
    let pool = WorkerPool.shared
    pool.threadCount = 2
    let total = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<50 {
        pool.forEach(10) { item, _ in total.add(item, ordering: .relaxed) }
      }
    }
    XCTAssertEqual(total.load(ordering: .relaxed), 8 * 50 * 45)
  }

  /// How often each item of a loop runs.
  private func visits(_ count: Int) -> [Int] {
    let counters = (0..<count).map { _ in Counter() }
    pool.forEach(count) { item, _ in counters[item].increment() }
    return counters.map(\.value)
  }
}

private final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  var value: Int { count.load(ordering: .relaxed) }

  @discardableResult
  func increment() -> Int { count.add(1, ordering: .relaxed).newValue }

  func decrement() { count.subtract(1, ordering: .relaxed) }
}
