import CSKD
import SKDNN
import SKDRuntime

@c @implementation
public func skd_model_lock(_ model: OpaquePointer!) -> skd_status {
  status("model_lock") { try ModelHandle.from(try $0.pointer(model, "model")).keep() }
}

@c @implementation
public func skd_model_unlock(_ model: OpaquePointer!) {
  if let model { ModelHandle.from(model).letGo() }
}

@c @implementation
public func skd_model_load(
  _ model: OpaquePointer!, _ arrays: UnsafePointer<UnsafeRawPointer?>!, _ count: Int64
) -> skd_status {
  status("model_load") { arguments in
    let handle = ModelHandle.from(try arguments.pointer(model, "model"))
    let arrays = try arguments.pointer(arrays, "arrays")
    let entries = handle.network.store.entries
    try arguments.require(
      Int64(entries.count) == count, "count", "be \(entries.count)", got: count)
    try handle.exclusively { network in
      let values = try entries.enumerated().map { number, entry in
        try NewValues(of: entry, arrays[number], name: entry.name, arguments)
      }
      for entry in values { entry.assign() }
      network.store.markChanged()
    }
  }
}

/// New values of an entry, copied and checked before any entry changes.
private struct NewValues {
  private let entry: StateEntry
  private let floats: AlignedBuffer<Float>?
  private let counter: Int64

  /// The largest counter taken: no run counts from here to where an `Int64` overflows.
  private static let maximumCounter = 1 << 62

  /// - Parameter array: C-contiguous, of the entry's shape and type.
  init(of entry: StateEntry, _ array: UnsafeRawPointer?, name: String, _ arguments: Arguments)
    throws
  {
    let array = try arguments.pointer(array, name)
    self.entry = entry
    if entry.kind == .counter {
      counter = array.loadUnaligned(as: Int64.self)
      floats = nil
      _ = try arguments.size(counter, name, in: 0...Self.maximumCounter)
      return
    }
    let copy = try arguments.finiteCopy(
      of: array.assumingMemoryBound(to: Float.self), count: entry.count, name)
    (floats, counter) = (copy, 0)
    if entry.name.hasSuffix("running_var") {
      for i in 0..<entry.count {
        let value = copy.pointer[i]
        try arguments.require(value >= 0, name, "be >= 0", got: "\(value) at index \(i)")
      }
    }
  }

  func assign() {
    guard let floats else { return entry.counter.pointee = counter }
    entry.copy(floats.pointer, to: entry.values)
  }
}
