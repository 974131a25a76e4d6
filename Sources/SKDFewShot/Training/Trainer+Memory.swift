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
    try shadow(on: ledger).measureStep(batch: batch, side: side)
    return ledger.peakBytes
  }

  /// Throws `SKDError.outOfMemory`, before anything is allocated, unless a step fits into the
  /// available memory.
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
    let shadow = try shadow(on: ledger)
    let held = ledger.heldBytes + networks.reduce(0) { $0 + $1.heldForPasses }
    try shadow.measureStep(batch: batch, side: side)
    try MachineMemory.require(ledger.peakBytes + furtherBytes, for: name, reusable: held)
    for (network, measured) in zip(networks, shadow.networks) { network.expectPasses(of: measured) }
    admittedStep = need
  }

  private var networks: [Network] { [network] + (teacher.map { [$0] } ?? []) }

  /// A trainer of equal configuration that computes nothing.
  private func shadow(on ledger: MemoryLedger) throws -> Trainer {
    let network = try Network(network.configuration, ledger: ledger)
    return try Trainer(
      network: network, teacher: teacher.map { try Network($0.configuration, ledger: ledger) },
      objective: objective,
      optimizer: try SGD(network.store, learningRate: 0, momentum: 0, weightDecay: 0), seed: 0)
  }

  private func measureStep(batch: Int, side: Int?) throws {
    _ = try loss(images: nowhere(), labels: nowhere(), batch: batch, side: side)
  }
}
