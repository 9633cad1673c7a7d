internal import CKernels
internal import Glibc
internal import Synchronization

/// Threads that share out one loop at a time.
///
/// `run` costs about a microsecond while the workers are awake. They spin a little after each job, as the next layer is
/// near, and then sleep; a sleeping worker never delays a job, since the caller takes part and takes what is left.
package final class ThreadPool: Sendable {
    /// How many work on a job, the caller included.
    package let threads: Int
    private let board: JobBoard
    private let workers: [pthread_t]

    /// One thread, the caller: for work too small to share.
    package static let single = ThreadPool(threads: 1)

    package init(threads: Int) {
        precondition(threads >= 1, "\(threads) threads")
        self.threads = threads
        let board = JobBoard()
        self.board = board
        workers = (1..<threads).map { _ in startWorker(board) }
    }

    deinit {
        board.stop()
        for worker in workers { pthread_join(worker, nil) }
    }

    /// Runs body(0) ..< body(tasks), each once, on all threads; returns when all are done.
    ///
    /// Tasks are handed out in order as threads become free. `body` must not call `run` on the same pool; a second caller
    /// waits for the first. What it writes is visible to the caller afterwards.
    package func run(_ tasks: Int, _ body: (Int) -> Void) {
        if threads == 1 || tasks <= 1 {
            for task in 0..<tasks { body(task) }
            return
        }
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { pointer in
                var first = 0
                while first < tasks {
                    let count = min(tasks - first, JobBoard.capacity)
                    board.perform(count, offset: first, body: pointer)
                    first += count
                }
            }
        }
    }
}

/// Where a job is posted. One word holds the job's number, its size and the next free task, so claiming a task and
/// checking that the job is still the posted one are a single step: a worker that wakes late claims nothing.
private final class JobBoard: Sendable {
    /// Most tasks of one job: the width of its two fields in `ticket`.
    static let capacity = 0xFFFF
    /// About 50 µs: longer than the gap between two layers, shorter than anybody notices.
    private static let spins = 1_500

    private let ticket = Atomic<UInt64>(0)  // job number << 32 | tasks << 16 | next task
    private let finished = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let turn = Mutex<Void>(())
    private let bell = Bell()
    /// Guard: written while no task is unclaimed or running, read after claiming one.
    private nonisolated(unsafe) var body: UnsafePointer<(Int) -> Void>?
    private nonisolated(unsafe) var offset = 0

    func perform(_ tasks: Int, offset: Int, body: UnsafePointer<(Int) -> Void>) {
        turn.withLock { _ in
            self.body = body
            self.offset = offset
            finished.store(0, ordering: .relaxed)
            let number = (ticket.load(ordering: .relaxed) >> 32) &+ 1
            ticket.store(number << 32 | UInt64(tasks) << 16, ordering: .sequentiallyConsistent)
            if sleepers.load(ordering: .sequentiallyConsistent) > 0 { bell.ring() }
            work()
            var spins = 0
            while finished.load(ordering: .acquiring) < tasks {
                spins += 1
                if spins < Self.spins { ck_pause() } else { sched_yield() }
            }
            self.body = nil
        }
    }

    /// What a worker thread does until the pool goes.
    func serve() {
        while !stopping.load(ordering: .acquiring) {
            work()
            var spins = 0
            while !isWorthWaking, spins < Self.spins {
                ck_pause()
                spins += 1
            }
            if spins < Self.spins { continue }
            sleepers.add(1, ordering: .sequentiallyConsistent)
            bell.wait(until: { isWorthWaking })
            sleepers.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        bell.ring()
    }

    private var isWorthWaking: Bool {
        let ticket = ticket.load(ordering: .sequentiallyConsistent)
        return ticket & 0xFFFF < ticket >> 16 & 0xFFFF || stopping.load(ordering: .sequentiallyConsistent)
    }

    private func work() {
        while let task = claim() {
            runTask(task)
            finished.add(1, ordering: .acquiringAndReleasing)
        }
    }

    private func claim() -> Int? {
        var seen = ticket.load(ordering: .acquiring)
        while seen & 0xFFFF < seen >> 16 & 0xFFFF {
            let (exchanged, original) = ticket.weakCompareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
            if exchanged { return Int(seen & 0xFFFF) }
            seen = original
        }
        return nil
    }

    /// Not inlined: whatever is retained for the call is released before the task counts as finished.
    @inline(never) private func runTask(_ task: Int) { body?.pointee(offset + task) }
}

/// A condition variable. The waiter checks its condition under the lock that `ring` takes, so no ring is missed.
private final class Bell: Sendable {
    // Guard: the pthread functions themselves; the memory is ours until deinit and never moves.
    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private nonisolated(unsafe) let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func ring() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    func wait(until isDue: () -> Bool) {
        pthread_mutex_lock(mutex)
        while !isDue() { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
    }
}

private func startWorker(_ board: JobBoard) -> pthread_t {
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<JobBoard>.fromOpaque(argument).takeRetainedValue().serve()
            return nil
        }, Unmanaged.passRetained(board).toOpaque())
    precondition(code == 0, "a worker thread could not be started: error \(code)")
    return thread
}
