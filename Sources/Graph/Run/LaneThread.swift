import Dispatch
import Foundation
import Synchronization

/// A thread of its own that runs the jobs of one actor, in order.
final class LaneThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isFinished = false
    }

    private let state = Mutex(State())
    private let available = DispatchSemaphore(value: 0)

    init(name: String) {
        let thread = Thread { [self] in run() }
        thread.name = name
        thread.stackSize = 8 << 20  // that of the main thread: models and libraries below expect no less
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        available.signal()
    }

    /// Somebody waits for the actor.
    var hasJobs: Bool { state.withLock { !$0.jobs.isEmpty } }

    /// Lets the thread end once its jobs are done. The actor calls it when it goes: nothing is enqueued after.
    func finish() {
        state.withLock { $0.isFinished = true }
        available.signal()
    }

    private func run() {
        while true {
            available.wait()
            let job = state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
            if let job {
                job.runSynchronously(on: asUnownedSerialExecutor())
            } else if state.withLock({ $0.isFinished }) {
                return
            }
        }
    }
}
