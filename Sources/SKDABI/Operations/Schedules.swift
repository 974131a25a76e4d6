import CSKD
import SKDNN
import SKDRuntime

@c @implementation
public func skd_step_learning_rate(
  _ epoch: Int64, _ base: Double, _ factor: Double, _ milestones: UnsafePointer<Int64>!,
  _ milestone_count: Int64, _ rate: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("step_learning_rate") { arguments in
    let rate = try arguments.pointer(rate, "rate")
    let epoch = try arguments.size(epoch, "epoch")
    try checkRates(arguments, base: base, factor: factor)
    let count = try arguments.size(milestone_count, "milestone_count", in: 0...1_000_000)
    var epochs: [Int] = []
    if count > 0 {
      let milestones = try arguments.pointer(milestones, "milestones")
      epochs = (0..<count).map { Int(clamping: milestones[$0]) }
    }
    let schedule = LearningRateSchedule.step(base: base, factor: factor, milestones: epochs)
    rate.pointee = schedule.rate(epoch: epoch)
  }
}

@c @implementation
public func skd_cosine_learning_rate(
  _ epoch: Int64, _ epochs: Int64, _ base: Double, _ factor: Double,
  _ rate: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("cosine_learning_rate") { arguments in
    let rate = try arguments.pointer(rate, "rate")
    let epochs = try arguments.size(epochs, "epochs")
    let epoch = try arguments.size(epoch, "epoch", in: 0...epochs)
    try checkRates(arguments, base: base, factor: factor)
    let schedule = LearningRateSchedule.cosine(base: base, factor: factor, epochs: epochs)
    rate.pointee = schedule.rate(epoch: epoch)
  }
}

@c @implementation
public func skd_one_cycle_learning_rate(
  _ progress: Double, _ epochs: Double, _ warmup: Double, _ base: Double, _ factor: Double,
  _ rate: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("one_cycle_learning_rate") { arguments in
    let rate = try arguments.pointer(rate, "rate")
    try arguments.positive(epochs, "epochs")
    try arguments.number(progress, "progress", in: 0...epochs)
    try arguments.number(warmup, "warmup", in: 0...epochs.nextDown)
    try checkRates(arguments, base: base, factor: factor)
    let schedule = OneCycleSchedule(base: base, factor: factor, epochs: epochs, warmup: warmup)
    rate.pointee = schedule.rate(progress: progress)
  }
}

private func checkRates(_ arguments: Arguments, base: Double, factor: Double) throws {
  for (value, name) in [(base, "base"), (factor, "factor")] {
    try arguments.require(value >= 0 && value.isFinite, name, "be >= 0 and finite", got: value)
  }
}
