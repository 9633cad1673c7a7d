import Synchronization

/// Muting and pausing: what a source sends is not wanted, or not yet.
extension Inlet {
    var isMuted: Bool { state.withLock { $0.isMuted } }
    var isPaused: Bool { state.withLock { $0.pause != nil } }

    /// From now on nothing goes in, or everything again.
    /// - Parameter forgetting: what has not been taken goes as well.
    func mute(_ isMuted: Bool, forgetting: Bool) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.isMuted = isMuted
            if forgetting { state.queue.removeAll() }
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Sources that can wait do so until `resume`. Nothing is held of a closed inlet.
    func pause() {
        state.withLock { state in
            if !state.isClosed { state.pause = state.pause ?? Gate() }
        }
    }

    func resume() {
        let gate = state.withLock { state in
            defer { state.pause = nil }
            return state.pause
        }
        gate?.open()
    }

    /// Returns when the graph goes on or the inlet is closed.
    func waitWhilePaused() async { await state.withLock { $0.pause }?.wait() }
}
