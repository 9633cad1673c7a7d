package import Graph
package import Media
import Synchronization

/// The newest picture of every picture source: what a snapshot shows and a question is about.
package final class LatestPictures: Sendable {
    private let frames = Mutex<[StageID: VideoFrame]>([:])

    /// Picture sources put every frame here as they send it.
    package func put(_ frame: VideoFrame, of source: StageID) { frames.withLock { $0[source] = frame } }

    /// Forgets the picture of a source.
    package func remove(_ source: StageID) { frames.withLock { $0[source] = nil } }

    /// Of a source that has not sent any: nil.
    package func latest(of source: StageID) -> VideoFrame? { frames.withLock { $0[source] } }
}
