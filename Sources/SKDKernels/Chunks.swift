import SKDRuntime

/// Elements below which work is not worth a second thread.
let chunkElements = 16_384

/// Splits `0..<count` into chunks of `size` and calls `body(start, end)` for each, on all threads.
///
/// The partition depends on `count` and `size` alone: a chunk may keep a partial sum.
func forEachChunk(
  of count: Int, size: Int = chunkElements, _ body: (_ start: Int, _ end: Int) -> Void
) {
  WorkerPool.shared.forEach((count + size - 1) / size) { chunk, _ in
    body(chunk * size, min((chunk + 1) * size, count))
  }
}

/// Number of rows of `rowElements` elements that make a chunk.
func chunkRows(rowElements: Int) -> Int { max(1, chunkElements / max(rowElements, 1)) }
