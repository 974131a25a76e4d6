import SKDKernels
import SKDRuntime
import XCTest

@testable import SKDNN

final class BufferPoolTests: XCTestCase {
  // MARK: Places

  func testTheSmallestGapThatIsLargeEnoughIsTaken() {
    var arena = Arena()
    let ranges = [100, 7, 40, 16, 60, 1].map { arena.take($0) }
    XCTAssertEqual(ranges.map(\.lowerBound), [0, 112, 128, 176, 192, 256])
    XCTAssertEqual(arena.end, 272)
    for number in [0, 2, 4] { arena.giveBack(ranges[number]) }
    XCTAssertEqual(arena.take(33), 128..<176)
    XCTAssertEqual(arena.take(50), 192..<256)
    XCTAssertEqual(arena.take(17), 0..<32)
    XCTAssertEqual(arena.take(80), 32..<112)
    XCTAssertEqual(arena.take(1), 272..<288)
  }

  func testNeighbouringGapsBecomeOne() {
    for order in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
      var arena = Arena()
      let ranges = (0..<5).map { _ in arena.take(16) }
      for number in order { arena.giveBack(ranges[number]) }
      XCTAssertEqual(arena.take(48), 16..<64, "\(order)")
      arena.giveBack(16..<64)
      arena.giveBack(ranges[4])
      XCTAssertEqual(arena.end, 16, "\(order)")
      arena.giveBack(ranges[0])
      XCTAssertTrue(arena.isEmpty, "\(order)")
    }
  }

  /// Ranges in use never overlap, and nothing is lost, whatever is taken and given back.
  func testRangesInUseAreApart() {
    var (arena, used, state) = (Arena(), [Range<Int>](), UInt32(7))
    func random(_ bound: Int) -> Int {
      state = state &* 1_664_525 &+ 1_013_904_223
      return Int(state >> 8) % bound
    }
    for _ in 0..<3_000 {
      if random(5) < 3 || used.isEmpty {
        let count = random(4) == 0 ? random(2_000) : random(90)
        let range = arena.take(count)
        XCTAssertGreaterThanOrEqual(range.count, max(count, 1))
        XCTAssertLessThan(range.count, count + 32)
        XCTAssertTrue(used.allSatisfy { !$0.overlaps(range) })
        used.append(range)
      } else {
        arena.giveBack(used.remove(at: random(used.count)))
      }
      XCTAssertEqual(arena.end, used.map(\.upperBound).max() ?? 0)
    }
    for range in used { arena.giveBack(range) }
    XCTAssertTrue(arena.isEmpty)
  }

  // MARK: Memory

  func testTheBlockHoldsWhatALoopNeedsAtOnce() throws {
    let (pool, before) = (BufferPool(), liveBufferBytes)
    func use(_ counts: [Int]) throws -> [Int] {
      let tensors = try counts.map { try pool.scratch($0) }
      for (number, tensor) in tensors.enumerated() {
        tensor.pointer.update(repeating: Float(number), count: tensor.count)
      }
      for (number, tensor) in tensors.enumerated() {
        XCTAssertTrue((0..<tensor.count).allSatisfy { tensor.pointer[$0] == Float(number) })
      }
      return tensors.map { Int(bitPattern: $0.pointer) % 64 }
    }
    for counts in [[10, 40, 20], [300], [16, 16], [160, 100, 40]] {
      for _ in 0..<2 { XCTAssertEqual(Set(try use(counts)), [0]) }
    }
    XCTAssertEqual(pool.capacity, 160 + 112 + 48)
    XCTAssertEqual(liveBufferBytes - before, 4 * pool.capacity)
  }

  func testTheBlockGrowsOnceNoTensorLives() throws {
    let (pool, before) = (BufferPool(), liveBufferBytes)
    let first = try pool.scratch(32)
    try withExtendedLifetime(first) {
      for _ in 0..<2 { _ = try pool.scratch(1_000) }
      XCTAssertEqual(liveBufferBytes - before, 4 * 32)
    }
  }

  func testAPlaceThatIsForgottenIsTakenAgain() throws {
    let pool = BufferPool()
    pool.expect(64)
    var forgotten: Tensor? = try pool.scratch(64)
    let pointer = forgotten?.pointer
    pool.forgetTensors()
    let next = try pool.scratch(64)
    XCTAssertEqual(next.pointer, pointer)
    forgotten = nil  // gives nothing back
    XCTAssertNotEqual(try pool.scratch(64).pointer, pointer)
    withExtendedLifetime(next) {}
  }

  func testWhatDoesNotFitIntoMemoryIsRefusedAndLeavesThePool() throws {
    let pool = BufferPool()
    for _ in 0..<2 {
      XCTAssertThrowsError(try pool.scratch(1 << 50)) { error in
        guard case SKDError.outOfMemory = error else { return XCTFail("\(error)") }
      }
      let tensor = try pool.scratch(10)
      tensor.pointer.update(repeating: 1, count: 10)
    }
  }
}
