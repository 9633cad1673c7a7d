import Media

/// A worker and its place in the graph. It belongs to the lane.
final class LaneStage {
    enum Phase { case idle, busy, finishing, over }

    let worker: any Worker
    /// Indices of the lane's links.
    var inputs: [Int] = []
    var outputs: [Int] = []
    let output: Output
    var phase = Phase.idle
    /// When the packet at work came into the graph.
    var entered = MediaTime.zero
    /// The lane's turn in which it ran last: among equally urgent ones the longest waiting is next.
    var lastTurn = 0
    var status: GraphStatus.Stage

    init(_ worker: any Worker, origin: StageID, status: GraphStatus.Stage) {
        self.worker = worker
        output = Output(origin: origin)
        self.status = status
    }
}

/// A source and its place in the graph.
final class LaneSource {
    let inlet: Inlet
    var outputs: [Int] = []
    let pace: SourcePace
    var hasEnded = false
    /// Another takes its place: nothing more is taken from it, and its end is none.
    var isRetired = false
    var status: GraphStatus.Stage

    init(_ inlet: Inlet, pace: SourcePace, status: GraphStatus.Stage) {
        self.inlet = inlet
        self.pace = pace
        self.status = status
    }

    /// The lane takes from it.
    var isOpen: Bool { !hasEnded && !isRetired }
}

/// The bounded queue between two stages.
struct Link {
    let from: StageID
    let to: StageID
    var queue: BoundedQueue<(packet: Packet, arrival: Int, entered: MediaTime)>
    /// Nothing more comes.
    var isEnded = false
    /// The reader takes nothing more: it has failed.
    var isCut = false

    var status: GraphStatus.Link {
        GraphStatus.Link(
            from: from, to: to, capacity: queue.policy.capacity, whenFull: queue.policy.whenFull,
            queued: queue.count, highWater: queue.highWater, dropped: queue.dropped)
    }
}
