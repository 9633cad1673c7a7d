import Dispatch
import Glibc
import Synchronization

/// SIGTERM and SIGINT end the daemon in order, a second one at once; SIGHUP has it read its file anew.
///
/// They are caught on a queue of their own, so that a machine too busy for anything else still ends.
final class StopSignals: Sendable {
    private struct State {
        var stop: (@Sendable () -> Void)?
        var reload: (@Sendable () -> Void)?
        var isStopping = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "signals", qos: .userInitiated)
    private let sources: [any DispatchSourceSignal]
    /// What must not stay behind, however the process ends.
    private let cleanUp: @Sendable () -> Void

    /// From now on the signals are caught. Until `onStop` says otherwise, the first one cleans up and ends the process.
    init(cleanUp: @escaping @Sendable () -> Void) {
        self.cleanUp = cleanUp
        sources = [SIGTERM, SIGINT, SIGHUP].map { number in
            signal(number, SIG_IGN)  // the source sees it all the same
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for (number, source) in zip([SIGTERM, SIGINT, SIGHUP], sources) {
            source.setEventHandler { [weak self] in self?.handle(number) }
            source.activate()
        }
    }

    func onStop(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.stop = action } }

    func onReload(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.reload = action } }

    /// Somebody has asked for a stop: the next signal ends the process at once.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// What is not over by then ends with the process, in good standing.
    func stop(within time: DispatchTimeInterval, last: @escaping @Sendable () -> Void) {
        state.withLock { $0.isStopping = true }
        queue.asyncAfter(deadline: .now() + time) { [cleanUp] in
            last()
            cleanUp()
            _exit(0)
        }
    }

    private func handle(_ number: CInt) {
        if number == SIGHUP { return state.withLock { $0.reload }?() ?? () }
        let (stop, isSecond) = state.withLock { state in
            defer { state.isStopping = true }
            return (state.stop, state.isStopping)
        }
        if !isSecond, let stop { return stop() }
        cleanUp()
        if !isSecond { _exit(0) }
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }
}
