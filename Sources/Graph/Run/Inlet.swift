import Media
import Synchronization

/// Where values cross from a source's task to the lane.
///
/// It holds a few packets, so that a source reads ahead while the lane computes. The lane takes them out and hands them
/// to the links of all readers.
final class Inlet: Sendable {
    /// What the lane would take next.
    enum Head: Equatable {
        case nothing
        case packet(reaching: MediaTime)
        /// The source has ended, or failed, and everything was taken.
        case end(failed: Bool)
    }

    struct State {
        var queue: BoundedQueue<(packet: Packet, position: MediaTime, entered: MediaTime)>
        var isClosed = false
        var hasFailed = false
        var isMuted = false
        /// There while the graph is paused; opens when it goes on.
        var pause: Gate?
        var waiters: [CheckedContinuation<Void, Never>] = []

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { waiters = [] }
            return waiters
        }
    }

    let state: Mutex<State>
    private let ring: @Sendable () -> Void

    /// `ring` tells the lane that there is something to take.
    init(policy: QueuePolicy, ring: @escaping @Sendable () -> Void) {
        state = Mutex(State(queue: BoundedQueue(policy)))
        self.ring = ring
    }

    /// Waits for room or drops, by the policy. Once the inlet is closed it does nothing; while it is muted, neither.
    /// - Parameter entered: now, on the graph's clock.
    func send(_ packet: Packet, reaching position: MediaTime, at entered: MediaTime) async {
        while !push(packet, position, entered) {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state -> Bool in
                    guard state.queue.holdsUp, !state.isClosed else { return false }
                    state.waiters.append(continuation)
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
        ring()
    }

    /// False if the sender must wait.
    private func push(_ packet: Packet, _ position: MediaTime, _ entered: MediaTime) -> Bool {
        state.withLock { state in
            if state.isClosed || state.isMuted { return true }
            if state.queue.holdsUp { return false }
            state.queue.push((packet, position, entered))
            return true
        }
    }

    /// Nothing more comes: the source has ended, or nobody takes any more.
    func close(failed: Bool = false) {
        let waiters = state.withLock { state in
            state.isClosed = true
            if failed { state.hasFailed = true }
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
        resume()
        ring()
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    var head: Head {
        state.withLock { state in
            if let first = state.queue.first { return .packet(reaching: first.position) }
            return state.isClosed ? .end(failed: state.hasFailed) : .nothing
        }
    }

    /// Takes the first packet and lets senders go on.
    func take() -> (packet: Packet, position: MediaTime, entered: MediaTime)? {
        let (first, waiters) = state.withLock { state in (state.queue.pop(), state.takeWaiters()) }
        for waiter in waiters { waiter.resume() }
        return first
    }

    /// When the first packet came.
    var entered: MediaTime? { state.withLock { $0.queue.first?.entered } }

    /// Packets dropped because the lane did not come for them in time.
    var dropped: Int { state.withLock { $0.queue.dropped } }
}
