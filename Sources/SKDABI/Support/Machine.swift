import CSKD
import SKDKernels
import SKDRuntime

// MARK: Threads

@c @implementation
public func skd_set_num_threads(_ count: Int64) -> skd_status {
  status("set_num_threads") { arguments in
    WorkerPool.shared.threadCount = try arguments.size(
      count, "count", in: 1...WorkerPool.maximumThreadCount)
  }
}

@c @implementation
public func skd_get_num_threads() -> Int64 { Int64(WorkerPool.shared.threadCount) }

@c @implementation
public func skd_available_processors() -> Int64 { Int64(Processors.available()) }

// MARK: Memory

@c @implementation
public func skd_available_memory() -> Int64 { Int64(MachineMemory.availableBytes()) }

@c @implementation
public func skd_live_memory() -> Int64 { Int64(liveBufferBytes) }

@c @implementation
public func skd_watch_mapping(_ start: UnsafeRawPointer!, _ length: Int64) -> skd_status {
  status("watch_mapping") { arguments in
    FileMappings.watch(
      try arguments.pointer(start, "start"),
      length: try arguments.size(length, "length", in: 0...(1 << 47)))
  }
}

@c @implementation
public func skd_unwatch_mapping(_ start: UnsafeRawPointer!) {
  if let start { FileMappings.unwatch(start) }
}

@c @implementation
public func skd_mapping_is_damaged(_ start: UnsafeRawPointer!) -> Int32 {
  guard let start else { return 0 }
  return FileMappings.isDamaged(start) ? 1 : 0
}

// MARK: Instruction set

@c @implementation
public func skd_instruction_set() -> UnsafePointer<CChar>! {
  UnsafeRawPointer(InstructionSet.compiled.cName.utf8Start)
    .assumingMemoryBound(to: CChar.self)
}

extension InstructionSet {
  /// As skd.h names it; a literal ends in a zero byte.
  fileprivate var cName: StaticString {
    switch self {
    case .avx512: "AVX-512"
    case .avx2: "AVX2"
    case .sse2: "SSE2"
    case .neon: "NEON"
    case .other: "other"
    }
  }
}
