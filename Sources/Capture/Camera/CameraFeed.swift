import Media
import Synchronization

/// What lies between a camera's thread and its reader: one frame, the newest, and what there is to tell.
///
/// A mutex that is taken some thirty times a second for the time of a few assignments holds nobody up.
final class CameraFeed: Sendable {
    private struct State {
        var frame: VideoFrame?
        var news = NewsQueue<CameraNews>()
        var failure: CaptureError?
        var statistics = CameraStatistics()
    }

    private let state = Mutex(State())
    private let bell: AsyncStream<Void>
    private let ringer: AsyncStream<Void>.Continuation

    init() { (bell, ringer) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    // MARK: The capture thread's side

    /// The newest frame wins.
    func put(_ frame: VideoFrame) {
        state.withLock { state in
            if state.frame != nil { state.statistics.superseded += 1 }
            state.frame = frame
        }
        ringer.yield()
    }

    func tell(_ news: CameraNews) {
        state.withLock { $0.news.append(news) }
        ringer.yield()
    }

    func count(_ change: (inout CameraStatistics) -> Void) { state.withLock { change(&$0.statistics) } }

    /// Nothing more comes.
    func fail(_ error: CaptureError) {
        state.withLock { $0.failure = error }
        ringer.yield()
    }

    // MARK: The reader's side

    /// What there is: news in their order, then the newest frame.
    func take() throws(CaptureError) -> CameraNews? {
        let taken = state.withLock { state -> Result<CameraNews?, CaptureError> in
            if let news = state.news.next() { return .success(news) }
            if let frame = state.frame {
                state.frame = nil
                state.statistics.delivered += 1
                return .success(.frame(frame))
            }
            return state.failure.map { .failure($0) } ?? .success(nil)
        }
        return try taken.get()
    }

    /// Returns when there may be something; false if the task was cancelled.
    func wait() async -> Bool {
        for await _ in bell { return !Task.isCancelled }
        return false
    }

    var statistics: CameraStatistics { state.withLock { $0.statistics } }
}
