import CSKD
import SKDNN
import SKDRuntime

@c @implementation
public func skd_trainer_lock(_ trainer: OpaquePointer!) -> skd_status {
  status("trainer_lock") { try TrainerHandle.from(trainer, $0).keep() }
}

@c @implementation
public func skd_trainer_unlock(_ trainer: OpaquePointer!) {
  guard let trainer else { return }
  Unmanaged<TrainerHandle>.fromOpaque(UnsafeRawPointer(trainer)).takeUnretainedValue().letGo()
}

@c @implementation
public func skd_trainer_get_losses(
  _ trainer: OpaquePointer!, _ losses: UnsafeMutablePointer<skd_losses>!
) -> skd_status {
  status("trainer_get_losses") { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    let result = try arguments.pointer(losses, "losses")
    result.pointee = skd_losses(try handle.exclusively { $0.lastLosses })
  }
}

@c @implementation
public func skd_trainer_get_velocity(
  _ trainer: OpaquePointer!, _ index: Int64,
  _ velocity: UnsafeMutablePointer<UnsafePointer<Float>?>!
) -> skd_status {
  status("trainer_get_velocity") { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    let result = try arguments.pointer(velocity, "velocity")
    let entries = handle.trainer.network.store.entries
    let entry = entries[try arguments.size(index, "index", in: 0...entries.count - 1)]
    result.pointee =
      entry.kind == .parameter ? handle.trainer.optimizer.velocity(of: entry) : nil
  }
}

/// The largest step count taken: a counter of random numbers ends at 2^48.
private let maximumStep = 1 << 47

@c @implementation
public func skd_trainer_load(
  _ trainer: OpaquePointer!, _ velocities: UnsafePointer<UnsafePointer<Float>?>!, _ count: Int64,
  _ step: Int64
) -> skd_status {
  status("trainer_load") { arguments in
    let handle = try TrainerHandle.from(trainer, arguments)
    let velocities = try arguments.pointer(velocities, "velocities")
    let entries = handle.trainer.network.store.entries
    try arguments.require(
      Int64(entries.count) == count, "count", "be \(entries.count)", got: count)
    let step = try arguments.size(step, "step", in: 0...maximumStep)
    try handle.exclusively { trainer in
      var values: [(StateEntry, AlignedBuffer<Float>)] = []
      for (number, entry) in entries.enumerated() where entry.kind == .parameter {
        let name = "velocity.\(entry.name)"
        let source = try arguments.pointer(velocities[number], name)
        let copy = try arguments.finiteCopy(of: source, count: entry.count, name)
        values.append((entry, copy))
      }
      for (entry, copy) in values {
        trainer.optimizer.setVelocity(of: entry, to: copy.pointer)
      }
      trainer.stepCount = step
    }
  }
}
