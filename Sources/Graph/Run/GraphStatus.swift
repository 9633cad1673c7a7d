package import Media

/// What a graph does and has done, at one moment.
package struct GraphStatus: Equatable, Sendable {
    package enum State: String, Sendable {
        /// Made, and held until the graph starts.
        case waiting
        case running
        case ended
        case failed
    }

    package struct Stage: Equatable, Sendable {
        package let id: StageID
        package let kind: String
        package let role: StageKind.Role
        package var state = State.waiting
        package var packetsIn = 0
        package var packetsOut = 0
        /// Packets of a source dropped before any reader could see them.
        package var dropped = 0
        /// Calls of `work`.
        package var quanta = 0
        /// Time spent in the stage.
        package var busy = MediaTime.zero
        /// How long ago the oldest packet came into the graph that it is at work on or that waits for it.
        package var lag = MediaTime.zero
    }

    package struct Link: Equatable, Sendable {
        package let from: StageID
        package let to: StageID
        package let capacity: Int
        package let whenFull: WhenFull
        package let queued: Int
        package let highWater: Int
        package let dropped: Int
    }

    /// The furthest of the sources' times.
    package let streamTime: MediaTime
    /// In the order of the file.
    package let stages: [Stage]
    package let links: [Link]

    /// How far the graph is behind its sources: the greatest lag of a stage.
    package var lag: MediaTime { stages.map(\.lag).max() ?? .zero }

    package subscript(stage: StageID) -> Stage? { stages.first { $0.id == stage } }

    /// Seconds of work per second of stream: below 1, a stage on its own keeps up.
    package func realTimeFactor(of stage: StageID) -> Double {
        guard let stage = self[stage], streamTime > .zero else { return 0 }
        return stage.busy.seconds / streamTime.seconds
    }
}
