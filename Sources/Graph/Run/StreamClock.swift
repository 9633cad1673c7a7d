import Foundation
package import Media
import Synchronization

/// The one time of a graph: 0 is the start of the run.
///
/// For live and paced sources it is monotonic time. For a `fast` source it is the position up to which the graph has
/// taken its values, so that every interval and latency comes out as in an infinitely fast paced run.
package final class StreamClock: Sendable {
    private struct State {
        var start: Duration?
        var startNanoseconds: Int64 = 0
        var positions: [StageID: MediaTime] = [:]
    }

    private let state = Mutex(State())
    private let elapsed: @Sendable () -> Duration
    private let sleepUntil: @Sendable (Duration) async throws -> Void

    /// A clock on `clock`; outside of tests the system's monotonic one, by which drivers stamp sound and pictures.
    package init<C: Clock>(_ clock: C = SuspendingClock()) where C.Duration == Duration {
        let origin = clock.now
        elapsed = { origin.duration(to: clock.now) }
        sleepUntil = { try await clock.sleep(until: origin.advanced(by: $0), tolerance: nil) }
    }

    /// Stream time 0 is now. Later calls do nothing.
    package func start() {
        state.withLock { state in
            guard state.start == nil else { return }
            state.start = elapsed()
            state.startNanoseconds = monotonicNanoseconds()
        }
    }

    /// Time since the start; 0 before it.
    package var now: MediaTime {
        state.withLock { state in state.start.map { MediaTime(elapsed() - $0) } ?? .zero }
    }

    /// The time of a source.
    package func now(_ source: StageID) -> MediaTime {
        state.withLock { $0.positions[source] } ?? now
    }

    /// How far what ended at `time` is behind its source; never negative.
    package func lag(of source: StageID, behind time: MediaTime) -> MediaTime {
        max(.zero, now(source) - time)
    }

    /// The stream time of a driver's time stamp, in nanoseconds of `CLOCK_MONOTONIC`.
    package func streamTime(monotonicNanoseconds time: Int64) -> MediaTime {
        MediaTime(nanoseconds: time - state.withLock { $0.startNanoseconds })
    }

    /// Sleeps until the stream time is `time`; for sources that keep a pace. Only after the start.
    /// - Throws: `CancellationError`.
    package func sleep(until time: MediaTime) async throws {
        let start = state.withLock { $0.start } ?? elapsed()
        try await sleepUntil(start + .nanoseconds(time.nanoseconds))
    }

    /// Sleeps for a length of the clock's time, started or not.
    func sleep(for duration: Duration) async throws { try await sleepUntil(elapsed() + duration) }

    /// From now on the time of `source` is the position it has reached, or again that of the clock.
    func follow(_ source: StageID, if isFast: Bool = true, from position: MediaTime = .zero) {
        state.withLock { $0.positions[source] = isFast ? position : nil }
    }

    /// A followed source has reached `position`; it never goes back.
    func advance(_ source: StageID, to position: MediaTime) {
        state.withLock { state in
            guard let reached = state.positions[source] else { return }
            state.positions[source] = max(reached, position)
        }
    }
}

private func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

extension MediaTime {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
