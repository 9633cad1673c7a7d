import Media
import Synchronization

/// What lies between a microphone's thread and its reader: tracks of sound, and what there is to tell.
///
/// Samples pass through the rings of a track, where nobody waits. The mutex is held for a few assignments.
final class MicrophoneFeed: Sendable {
    private struct State {
        var news = NewsQueue<MicrophoneNews>()
        /// Tracks that the reader has not begun yet: there is one for each format that the device came with.
        var tracks: [SoundTrack] = []
        var failure: CaptureError?
        var statistics = MicrophoneStatistics()
    }

    private let state: Mutex<State>
    /// When the capture thread must have given a sign again, on the monotonic clock.
    private let deadline = Atomic(Int64.max)

    /// - Parameter statistics: Of a feed before this one.
    init(_ statistics: MicrophoneStatistics = MicrophoneStatistics()) {
        var state = State()
        state.statistics = statistics
        self.state = Mutex(state)
    }

    // MARK: The capture thread's side

    /// A call begins that may hang; nil: none.
    func promiseSign(within nanoseconds: Int64?) {
        deadline.store(nanoseconds.map { MonotonicClock.now() + $0 } ?? .max, ordering: .relaxed)
    }

    func begin(_ track: SoundTrack) { state.withLock { $0.tracks.append(track) } }

    func tell(_ news: MicrophoneNews) { state.withLock { $0.news.append(news) } }

    func count(_ change: (inout MicrophoneStatistics) -> Void) { state.withLock { change(&$0.statistics) } }

    /// Nothing more comes.
    func fail(_ error: CaptureError) { state.withLock { $0.failure = error } }

    // MARK: The reader's side

    func nextNews() -> MicrophoneNews? { state.withLock { $0.news.next() } }

    func nextTrack() -> SoundTrack? { state.withLock { $0.tracks.isEmpty ? nil : $0.tracks.removeFirst() } }

    /// Whether the capture thread hangs in a call.
    var isOverdue: Bool { MonotonicClock.now() > deadline.load(ordering: .relaxed) }

    var failure: CaptureError? { state.withLock { $0.failure } }

    var statistics: MicrophoneStatistics { state.withLock { $0.statistics } }
}
