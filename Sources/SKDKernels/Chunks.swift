import SKDRuntime

/// Elements below which work is not worth a second thread.
let chunkElements = 16_384

/// Splits `0..<count` into chunks of `size` and calls `body(start, end)` for each, on all threads.
///
/// The partition depends on `count` and `size` alone: a chunk may keep a partial sum.
func forEachChunk(
  of count: Int, size: Int = chunkElements, workers: Int = .max,
  _ body: (_ start: Int, _ end: Int) -> Void
) {
  WorkerPool.shared.forEach((count + size - 1) / size, workers: workers) { chunk, _ in
    body(chunk * size, min((chunk + 1) * size, count))
  }
}

/// Most workers of a loop over so many elements: one if they are not worth a second thread.
func workers(forElements count: Int) -> Int { count > chunkElements ? .max : 1 }

/// Number of rows of `rowElements` elements that make a chunk.
func chunkRows(rowElements: Int) -> Int { max(1, chunkElements / max(rowElements, 1)) }

/// Sums a partial result for each chunk of `0..<count`, in their order; `partial` runs on all threads.
///
/// There are at most 64 chunks: `size` is the smallest size of one, a multiple of `paddedRowUnit` if
/// `count` is long.
func sumOfChunks(
  of count: Int, size: Int = chunkElements, _ partial: (_ start: Int, _ end: Int) -> Double
) -> Double {
  let mostPartials = 64  // few enough for the stack
  let size = max(size, paddedRowLength(ceilDivide(count, mostPartials)))
  return withUnsafeTemporaryAllocation(of: Double.self, capacity: mostPartials) { partials in
    let sums = partials.baseAddress.unsafelyUnwrapped
    forEachChunk(of: count, size: size) { start, end in sums[start / size] = partial(start, end) }
    return (0..<ceilDivide(count, size)).reduce(0) { $0 + sums[$1] }
  }
}
