/// A worker and its place in the graph. It belongs to the lane.
final class LaneStage {
    enum Phase { case idle, busy, finishing, over }

    let worker: any Worker
    /// Indices of the lane's links.
    let inputs: [Int]
    let outputs: [Int]
    let output: Output
    var phase = Phase.idle
    /// The lane's turn in which it ran last: among equally urgent ones the longest waiting is next.
    var lastTurn = 0
    var status: GraphStatus.Stage

    init(_ worker: any Worker, inputs: [Int], outputs: [Int], origin: StageID, status: GraphStatus.Stage) {
        self.worker = worker
        self.inputs = inputs
        self.outputs = outputs
        output = Output(origin: origin)
        self.status = status
    }
}

/// A source and its place in the graph.
final class LaneSource {
    let inlet: Inlet
    let outputs: [Int]
    let pace: SourcePace
    var hasEnded = false
    var status: GraphStatus.Stage

    init(_ inlet: Inlet, outputs: [Int], pace: SourcePace, status: GraphStatus.Stage) {
        self.inlet = inlet
        self.outputs = outputs
        self.pace = pace
        self.status = status
    }
}

/// The bounded queue between two stages.
struct Link {
    let from: StageID
    let to: StageID
    var queue: BoundedQueue<(packet: Packet, arrival: Int)>
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
