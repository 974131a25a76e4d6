/// The ranges of one block of memory that are in use.
///
/// The position of a range depends on the calls alone: the same sequence, begun when nothing is in use,
/// needs the same extent.
struct Arena {
  /// Elements of a cache line of floats, to which every range is aligned.
  private static let alignment = 16

  /// End of the last range in use.
  private(set) var end = 0
  /// Free ranges before `end`, in order; none touches another, or `end`.
  private var gaps: [Range<Int>] = []

  var isEmpty: Bool { end == 0 }

  /// Takes the smallest gap that is large enough, or else the space after the last range.
  mutating func take(_ count: Int) -> Range<Int> {
    let size = (max(count, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
    let candidates = gaps.indices.filter { gaps[$0].count >= size }
    guard let best = candidates.min(by: { gaps[$0].count < gaps[$1].count }) else {
      end += size
      return end - size..<end
    }
    let start = gaps[best].lowerBound
    if gaps[best].count == size {
      gaps.remove(at: best)
    } else {
      gaps[best] = start + size..<gaps[best].upperBound
    }
    return start..<start + size
  }

  /// Gives a range back that `take` returned.
  mutating func giveBack(_ range: Range<Int>) {
    var (place, merged) = (
      gaps.firstIndex { $0.lowerBound > range.lowerBound } ?? gaps.count, range
    )
    if place < gaps.count, gaps[place].lowerBound == merged.upperBound {
      merged = merged.lowerBound..<gaps.remove(at: place).upperBound
    }
    if place > 0, gaps[place - 1].upperBound == merged.lowerBound {
      place -= 1
      merged = gaps.remove(at: place).lowerBound..<merged.upperBound
    }
    if merged.upperBound == end {
      end = merged.lowerBound
    } else {
      gaps.insert(merged, at: place)
    }
  }
}
