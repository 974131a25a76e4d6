import SKDNN
import SKDRuntime

extension Trainer {
  /// Bytes that the buffers of this trainer and its networks hold after a few steps, which is the
  /// most they ever do: state, gradients, velocities, activations and the kernels' own.
  ///
  /// - Parameter side: Side of the images in pixels; nil for the network's image size.
  /// - Throws: `SKDError.outOfMemory` if they are beyond any memory; `.invalidArgument` if the batch
  ///   is too small for batch norm.
  public func stepMemory(batch: Int, side: Int? = nil) throws -> Int {
    let ledger = MemoryLedger()
    let shadow = try shadow(
      network: Network(network.configuration, ledger: ledger),
      teacher: teacher.map { try Network($0.configuration, ledger: ledger) })
    try shadow.measureSteps(batch: batch, side: side)
    return ledger.peakBytes
  }

  /// Throws `SKDError.outOfMemory`, before anything is allocated, unless a step fits into what the
  /// machine has left.
  ///
  /// - Parameters:
  ///   - side: Side of the images in pixels; nil for the network's image size.
  ///   - furtherBytes: Bytes that the caller is about to allocate for it.
  public func requireStepMemory(batch: Int, side: Int? = nil, furtherBytes: Int = 0) throws {
    let need = MemoryNeed(batch: batch, threads: WorkerPool.shared.threadCount, side: side)
    let name = "a training step of \(objective.name) on \(batch) images"
    if admittedStep == need {
      if furtherBytes >= MachineMemory.largeNeed {
        try MachineMemory.require(furtherBytes, for: "a copy for \(name)")
      }
      return
    }
    let ledger = MemoryLedger()
    let shadow = try shadow(
      network: network.shadow(on: ledger), teacher: teacher.map { try $0.shadow(on: ledger) })
    let held = ledger.heldBytes
    try shadow.measureSteps(batch: batch, side: side)
    try MachineMemory.require(ledger.peakBytes + furtherBytes, for: name, reusable: held)
    admittedStep = need
  }

  private func shadow(network: Network, teacher: Network?) throws -> Trainer {
    try Trainer(
      network: network, teacher: teacher, objective: objective,
      optimizer: try SGD(network.store, learningRate: 0, momentum: 0, weightDecay: 0), seed: 0)
  }

  /// The pool gives what fits best among what is free, so that the second step may ask for more; from
  /// then on nothing changes.
  private func measureSteps(batch: Int, side: Int?) throws {
    for _ in 0..<3 { _ = try loss(images: nowhere(), labels: nowhere(), batch: batch, side: side) }
  }
}
