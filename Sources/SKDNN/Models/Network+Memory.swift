import SKDRuntime

extension Network {
  /// Bytes that the network's buffers hold when it evaluates that many images, and afterwards:
  /// state and memory of the passes, without the caller's arrays.
  ///
  /// - Throws: `SKDError.outOfMemory` if they are beyond any memory.
  public func evaluationMemory(batch: Int) throws -> Int {
    let ledger = MemoryLedger()
    let shadow = try Network(configuration, ledger: ledger)
    try shadow.measureEvaluation(batch: batch)
    return ledger.peakBytes
  }

  /// Throws `SKDError.outOfMemory`, before anything is allocated, unless that many images can be
  /// evaluated.
  ///
  /// - Parameter furtherBytes: Bytes that the caller is about to allocate for it.
  public func requireEvaluationMemory(batch: Int, furtherBytes: Int = 0) throws {
    if batch == 0 { return }
    let need = MemoryNeed(
      batch: min(batch, 2 * Self.evaluationBatch), threads: WorkerPool.shared.threadCount)
    let name = "an evaluation of \(batch) images, \(min(batch, Self.evaluationBatch)) at a time,"
    if let admittedEvaluation, admittedEvaluation.covers(need) {
      if furtherBytes >= MachineMemory.largeNeed {
        try MachineMemory.require(furtherBytes, for: "a copy for \(name)")
      }
      return
    }
    let ledger = MemoryLedger()
    let shadow = try Network(configuration, ledger: ledger)
    let held = ledger.heldBytes + heldForPasses
    try shadow.measureEvaluation(batch: batch)
    try MachineMemory.require(ledger.peakBytes + furtherBytes, for: name, reusable: held)
    expectPasses(of: shadow)
    admittedEvaluation = need
  }

  /// Bytes of the block in which passes compute.
  public var heldForPasses: Int { 4 * pool.capacity }

  /// Makes room, from the next pass on, for the passes that a network on a ledger has measured.
  public func expectPasses(of shadow: Network) { pool.expect(shadow.pool.extent) }

  private func measureEvaluation(batch: Int) throws {
    // All complete portions are alike.
    let portion = Self.evaluationBatch
    let different = batch > portion ? portion + batch % portion : batch
    try evaluate(
      images: nowhere(), batch: different, embeddings: nil, logits: nil, rotationLogits: nil)
  }
}

/// The arguments that decide how much memory a pass over a network takes.
public struct MemoryNeed: Equatable {
  let batch: Int
  let threads: Int
  /// Side of the images; nil for the network's image size.
  let side: Int?

  public init(batch: Int, threads: Int, side: Int? = nil) {
    (self.batch, self.threads, self.side) = (batch, threads, side)
  }

  func covers(_ other: Self) -> Bool {
    threads == other.threads && side == other.side && batch >= other.batch
  }
}

/// An address for the arguments of a measured pass, which never reads them.
public func nowhere<Element>() -> UnsafePointer<Element> {
  guard let pointer = UnsafePointer<Element>(bitPattern: 64) else { preconditionFailure() }
  return pointer
}
