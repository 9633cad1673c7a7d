import Dispatch
import Glibc
import Synchronization
import UnixSignals

/// SIGTERM and SIGINT end the daemon in order, a second one at once; SIGHUP has it read its file anew.
final class StopSignals: Sendable {
    private struct State {
        var stop: (@Sendable () -> Void)?
        var reload: (@Sendable () -> Void)?
        var isStopping = false
    }

    private let state = Mutex(State())
    /// Of its own, so that a machine too busy for anything else still ends.
    private let queue = DispatchQueue(label: "stop", qos: .userInitiated)
    /// What must not stay behind, however the process ends.
    private let cleanUp: @Sendable () -> Void

    /// From now on the signals are caught. Until `onStop` says otherwise, the first one cleans up and ends the process.
    init(cleanUp: @escaping @Sendable () -> Void) async {
        self.cleanUp = cleanUp
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        Task.detached(priority: .high) { [weak self] in
            for await signal in signals { self?.handle(signal) }
        }
    }

    func onStop(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.stop = action } }

    func onReload(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.reload = action } }

    /// Somebody has asked for a stop: the next signal ends the process at once.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// A stop is under way. What is not over after `time` ends with the process, in good standing.
    /// - Parameter last: what is still to be done then.
    func stop(within time: DispatchTimeInterval, last: @escaping @Sendable () -> Void) {
        state.withLock { $0.isStopping = true }
        queue.asyncAfter(deadline: .now() + time) { [cleanUp] in
            last()
            cleanUp()
            _exit(0)
        }
    }

    private func handle(_ caught: UnixSignal) {
        if caught == .sighup {
            let reload = state.withLock { $0.reload }
            reload?()
            return
        }
        let (stop, isSecond) = state.withLock { state in
            defer { state.isStopping = true }
            return (state.stop, state.isStopping)
        }
        if !isSecond, let stop { return stop() }
        cleanUp()
        if !isSecond { _exit(0) }
        let number = caught.rawValue
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }
}
