import CLibrary
import Synchronization

/// A persistent set of threads that runs the items of a loop.
///
/// The result of an item must depend on its number alone, never on which worker runs it or how
/// many there are: then every result is bitwise the same for any number of threads. Reductions
/// write one partial result per item and add them up in item order.
public final class WorkerPool: @unchecked Sendable {
  /// The pool of this process. Its threads start at the first loop that can use them.
  public static let shared = WorkerPool(
    threadCount: min(Processors.available(), maximumThreadCount))

  /// The most threads that can be asked for.
  public static let maximumThreadCount = 256

  private typealias Body = (_ item: Int, _ worker: Int) -> Void

  /// Held by the one loop that owns the workers. A loop that does not get it runs on its caller.
  private let ownership = ProcessLock()
  private var mutex = pthread_mutex_t()
  private var wake = pthread_cond_t()
  private var workerCount = 0  // threads running besides the caller
  private var processID: pid_t = 0  // of the process that started them: a fork has none
  private let requestedThreads: Atomic<Int>

  private let loop = Atomic<UInt64>(Loop.none.word)
  private let sleepingWorkers = Atomic<Int>(0)
  private let nextItem = Atomic<Int>(0)
  private let finishedWorkers = Atomic<Int>(0)
  private var itemCount = 0
  private var body: Body?

  init(threadCount: Int) {
    requestedThreads = Atomic(threadCount)
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&wake, nil)
  }

  /// Number of threads of a loop, its caller included; `1...maximumThreadCount`.
  public var threadCount: Int {
    get { requestedThreads.load(ordering: .relaxed) }
    set {
      precondition((1...Self.maximumThreadCount).contains(newValue))
      requestedThreads.store(newValue, ordering: .relaxed)
    }
  }

  /// Calls `body(item, worker)` for every item of `0..<count`, on all threads.
  ///
  /// `worker` is below `workers`, and no two calls with the same `worker` run at once: it can index
  /// scratch memory. (`threadCount` may change between a look at it and the loop: a loop whose
  /// scratch was sized by it passes that size on as `workers`.) A loop begun inside a loop, or while
  /// another thread's loop runs, is run by its caller alone, as worker 0. Where the system gives no
  /// more threads, fewer run the loop.
  ///
  /// - Complexity: O(count / threads); allocates nothing after the first loop.
  public func forEach(
    _ count: Int, workers: Int = .max, _ body: (_ item: Int, _ worker: Int) -> Void
  ) {
    let threads = min(threadCount, workers, count)
    guard threads > 1 else { return Self.runSerially(count, body) }
    // A lost lock's loop ran in the parent of a fork: `startWorkers` begins anew here.
    guard ownership.tryToSeize() else { return Self.runSerially(count, body) }
    defer { ownership.unlock() }
    let started = startWorkers(threads - 1)
    guard started > 0 else { return Self.runSerially(count, body) }
    withoutActuallyEscaping(body) { body in
      self.body = body
      runLoop(count, threads: started + 1)
      self.body = nil
    }
  }

  private static func runSerially(_ count: Int, _ body: (Int, Int) -> Void) {
    for item in 0..<max(count, 0) { body(item, 0) }
  }

  /// Runs a loop with the workers that come while it has items left: the caller waits for those that
  /// joined, and not for one that sleeps or whose processor has other work.
  private func runLoop(_ count: Int, threads: Int) {
    itemCount = count
    nextItem.store(0, ordering: .relaxed)
    finishedWorkers.store(0, ordering: .relaxed)
    let last = Loop(loop.load(ordering: .relaxed))
    loop.store(last.next(workers: threads - 1).word, ordering: .sequentiallyConsistent)
    wakeWorkers()
    takeItems(worker: 0)
    let ended = loop.bitwiseAnd(~Loop.openBit, ordering: .acquiringAndReleasing).oldValue
    let joined = Loop(ended).joinedWorkers
    var spins = 0
    while finishedWorkers.load(ordering: .acquiring) < joined {
      spins += 1
      if spins > Self.spinsBeforeYield { sched_yield() }
    }
  }

  /// Wakes the workers that sleep. One that is about to sleep has counted itself, or sees the loop.
  private func wakeWorkers() {
    guard sleepingWorkers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    pthread_mutex_lock(&mutex)
    pthread_cond_broadcast(&wake)
    pthread_mutex_unlock(&mutex)
  }

  private func takeItems(worker: Int) {
    guard let body else { return }
    while true {
      let item = nextItem.add(1, ordering: .relaxed).oldValue
      if item >= itemCount { return }
      body(item, worker)
    }
  }

  // MARK: Workers

  /// Some 20 microseconds of spinning save the wake-up, which takes as long, between the loops of one
  /// step and between calls from Python. (Five times as many slow a machine whose processors have
  /// other work.)
  private static let spinsBeforeSleep = 80_000
  private static let spinsBeforeYield = 2_000
  /// Loop bodies need less than 128 KB. The usual 8 MB each would take the addresses of a process that
  /// has few, under `ulimit -v`.
  private static let stackSize = 1 << 20
  /// Addresses that are left to others. Without any, a thread could not even allocate the memory
  /// that the C library keeps for each thread, and would end the process.
  private static let spareAddresses = 64 << 20

  /// Sees to it that `count` workers run, and returns how many do. There are fewer if the system
  /// gives no more threads, for lack of memory or by a limit of processes; the next loop tries again.
  private func startWorkers(_ count: Int) -> Int {
    if processID != getpid() {  // first loop, or the child of a fork, which has no workers
      processID = getpid()
      workerCount = 0
      pthread_mutex_init(&mutex, nil)
      pthread_cond_init(&wake, nil)
      sleepingWorkers.store(0, ordering: .relaxed)
    }
    while workerCount < count, startWorker(workerCount + 1) { workerCount += 1 }
    return min(workerCount, count)
  }

  private func startWorker(_ worker: Int) -> Bool {
    guard canMap(Self.stackSize + Self.spareAddresses) else { return false }
    let start = WorkerStart(
      pool: self, worker: worker, seen: Loop(loop.load(ordering: .relaxed)).number)
    let context = Unmanaged.passRetained(start)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, Self.stackSize)
    var thread = pthread_t()
    guard pthread_create(&thread, &attributes, runWorker, context.toOpaque()) == 0 else {
      context.release()
      return false
    }
    return true
  }

  fileprivate func work(as worker: Int, after firstSeen: UInt64) -> Never {
    var seen = firstSeen
    while true {
      let found = awaitLoop(after: seen)
      seen = found.number
      if join(found, as: worker) {
        takeItems(worker: worker)
        finishedWorkers.add(1, ordering: .releasing)
      }
    }
  }

  /// Takes part in a loop, unless it has ended or has enough workers.
  private func join(_ found: Loop, as worker: Int) -> Bool {
    var current = found
    while current.isOpen, current.number == found.number, worker <= current.workers {
      let (isJoined, word) = loop.compareExchange(
        expected: current.word, desired: current.joined.word, ordering: .acquiringAndReleasing)
      if isJoined { return true }
      current = Loop(word)
    }
    return false
  }

  private func awaitLoop(after seen: UInt64) -> Loop {
    for _ in 0..<Self.spinsBeforeSleep {
      let current = Loop(loop.load(ordering: .acquiring))
      if current.number != seen { return current }
    }
    pthread_mutex_lock(&mutex)
    sleepingWorkers.add(1, ordering: .sequentiallyConsistent)
    defer {
      sleepingWorkers.subtract(1, ordering: .relaxed)
      pthread_mutex_unlock(&mutex)
    }
    while true {
      let current = Loop(loop.load(ordering: .sequentiallyConsistent))
      if current.number != seen { return current }
      pthread_cond_wait(&wake, &mutex)
    }
  }
}

/// The present loop in one word, so that a worker that comes late never joins one loop with what it
/// read of another: its number, whether workers may still join it, how many have, and how many may.
private struct Loop {
  static let openBit: UInt64 = 1 << 32
  static let none = Loop(0)
  private static let joinedUnit: UInt64 = 1 << 16
  private static let countMask: UInt64 = 0xFFFF

  let word: UInt64

  init(_ word: UInt64) { self.word = word }

  var number: UInt64 { word >> 33 }
  var isOpen: Bool { word & Self.openBit != 0 }
  var workers: Int { Int(word & Self.countMask) }
  var joinedWorkers: Int { Int(word >> 16 & Self.countMask) }

  /// The same loop with one worker more.
  var joined: Loop { Loop(word + Self.joinedUnit) }

  /// The loop after this one, with room for so many workers.
  func next(workers: Int) -> Loop { Loop((number &+ 1) << 33 | Self.openBit | UInt64(workers)) }
}

private final class WorkerStart {
  let pool: WorkerPool
  let worker: Int
  let seen: UInt64

  init(pool: WorkerPool, worker: Int, seen: UInt64) {
    self.pool = pool
    self.worker = worker
    self.seen = seen
  }
}

private func runWorker(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context else { return nil }
  let start = Unmanaged<WorkerStart>.fromOpaque(context).takeRetainedValue()
  start.pool.work(as: start.worker, after: start.seen)
}
