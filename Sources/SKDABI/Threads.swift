import CSKD
import SKDRuntime

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
