import Media

/// The actor that computes: every worker of a graph lives on its thread.
///
/// ```
/// source task ─► Inlet ─┐ (admitted)   ┌─ Link ─► worker ─ Link ─► worker ─► …
///                       └──────────────┘        one quantum at a time, the most urgent first
/// ```
/// Between quanta it takes in what live sources sent and chooses anew. What a `fast` source sent it takes in only when
/// everything before it is finished, one packet at a time and, of several fast sources, the earliest in stream time:
/// so the results of a fast run follow from its inputs alone.
actor ComputeLane {
    private let thread = LaneThread(name: "compute")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private nonisolated let bell: AsyncStream<Void>
    nonisolated let ringer: AsyncStream<Void>.Continuation
    let clock: StreamClock
    private let report: @Sendable (StageID, any Error) -> Void
    var order: [StageID] = []
    var stages: [LaneStage] = []
    var sources: [LaneSource] = []
    var links: [Link] = []
    /// Made for a change of the topology, and not in their places yet.
    var prepared: [(stage: StageDescription, body: StageBody)] = []
    private var turn = 0
    private var arrivals = 0

    /// `report` hears of stages that threw.
    init(clock: StreamClock, report: @escaping @Sendable (StageID, any Error) -> Void) {
        (bell, ringer) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.clock = clock
        self.report = report
    }

    deinit { thread.finish() }

    /// Runs until every source has ended and every stage has given its last, or the task is cancelled.
    func run() async {
        for stage in stages { stage.status.state = .running }
        for source in sources { source.status.state = .running }
        ringer.yield()
        for await _ in bell {
            while !Task.isCancelled, step() {
                // Lets in `status` and `control`. A yield leaves the thread and comes back: 15 µs, so only when asked.
                if thread.hasJobs { await Task.yield() }
            }
            if isOver { return }
        }
    }

    private var isOver: Bool { sources.allSatisfy(\.hasEnded) && stages.allSatisfy { $0.phase == .over } }

    /// Who is still at work: sources that send, and stages that have not given their last.
    var unfinished: [StageID] {
        sources.filter { !$0.hasEnded && !$0.inlet.isClosed }.map(\.status.id)
            + stages.filter { $0.phase != .over }.map(\.status.id)
    }

    /// Gives an order to a stage, between quanta.
    /// - Returns: false if there is no such worker, or it has ended.
    func control(_ control: StageControl, of id: StageID) -> Bool {
        guard let stage = stages.first(where: { $0.status.id == id }), stage.phase != .over else { return false }
        instruct(stage) { try stage.worker.control(control) }
        return true
    }

    /// Calls a worker between quanta; `work` follows.
    func instruct(_ stage: LaneStage, _ body: () throws -> Void) {
        attempt(stage, body)
        if stage.phase == .idle {
            stage.phase = .busy
            stage.entered = clock.now
        }
        ringer.yield()
    }

    func status() -> GraphStatus {
        var all: [StageID: GraphStatus.Stage] = [:]
        func lag(_ oldest: MediaTime?) -> MediaTime { oldest.map { max(.zero, clock.now - $0) } ?? .zero }
        for stage in stages {
            all[stage.status.id] = stage.status
            all[stage.status.id]?.lag = lag(oldest(stage))
        }
        for source in sources {
            all[source.status.id] = source.status
            all[source.status.id]?.dropped = source.inlet.dropped
            all[source.status.id]?.lag = lag(source.inlet.entered)
        }
        return GraphStatus(
            streamTime: sources.map { clock.now($0.status.id) }.max() ?? .zero,
            stages: order.compactMap { all[$0] }, links: links.map(\.status))
    }

    /// When the oldest packet came into the graph that the stage is at work on, or that waits for it.
    private func oldest(_ stage: LaneStage) -> MediaTime? {
        let waiting = stage.inputs.compactMap { links[$0].queue.first?.entered }
        return (waiting + (stage.phase == .busy ? [stage.entered] : [])).min()
    }
}

// Choosing
extension ComputeLane {
    /// One quantum, or one packet taken in. False if there is nothing to do until the bell rings.
    private func step() -> Bool {
        admitLive()
        if let stage = mostUrgent() {
            runQuantum(of: stage)
            return true
        }
        return admitFast()
    }

    func mostUrgent() -> LaneStage? {
        stages.lazy.filter(isRunnable).max { ($0.worker.urgency, $1.lastTurn) < ($1.worker.urgency, $0.lastTurn) }
    }

    private func isRunnable(_ stage: LaneStage) -> Bool {
        if stage.outputs.contains(where: { links[$0].queue.holdsUp }) { return false }
        return switch stage.phase {
        case .idle:
            stage.inputs.contains { !links[$0].queue.isEmpty } || stage.inputs.allSatisfy { links[$0].isEnded }
        case .busy, .finishing: true
        case .over: false
        }
    }

    /// Takes in what live sources have sent so far.
    func admitLive() {
        for source in sources where source.pace != .fast && source.isOpen {
            while source.inlet.head != .nothing, !source.outputs.contains(where: { links[$0].queue.holdsUp }) {
                admit(source)
                if source.hasEnded { break }
            }
        }
    }

    private func admitFast() -> Bool {
        var earliest: (source: LaneSource, time: MediaTime)?
        for source in sources where source.pace == .fast && source.isOpen {
            let time: MediaTime
            switch source.inlet.head {
            case .nothing where source.inlet.isPaused: continue
            case .nothing: return false  // what it sends next may be the earliest
            case .packet(let position): time = position
            case .end: time = clock.now(source.status.id)
            }
            if earliest.map({ time < $0.time }) ?? true { earliest = (source, time) }
        }
        if let earliest { admit(earliest.source) }
        return earliest != nil
    }

    /// Takes in a source's next packet, or its end.
    private func admit(_ source: LaneSource) {
        if let (packet, position, entered) = source.inlet.take() {
            clock.advance(source.status.id, to: position)
            source.status.packetsOut += 1
            deliver(packet, to: source.outputs, since: entered)
        } else if case .end(let failed) = source.inlet.head {
            source.hasEnded = true
            source.status.state = failed ? .failed : .ended
            for link in source.outputs { links[link].isEnded = true }
        }
    }
}

// Working
extension ComputeLane {
    func runQuantum(of stage: LaneStage) {
        turn += 1
        stage.lastTurn = turn
        let begin = clock.now
        attempt(stage) {
            if stage.phase == .idle { try beginWork(of: stage) }
            stage.output.waiting = stage.inputs.reduce(0) { $0 + links[$1].queue.count }
            stage.status.quanta += 1
            if try stage.worker.work(stage.output) == .idle {
                stage.phase = stage.phase == .finishing ? .over : .idle
            }
        }
        stage.status.busy += clock.now - begin
        passOn(from: stage)
        if stage.phase == .over { end(stage) }
    }

    /// Takes what the stage has given to its readers.
    func passOn(from stage: LaneStage) {
        for packet in stage.output.take() {
            stage.status.packetsOut += 1
            deliver(packet, to: stage.outputs, since: stage.entered)
        }
    }

    /// Offers the packet that arrived first, or tells that there are no more.
    private func beginWork(of stage: LaneStage) throws {
        let next = stage.inputs.filter { !links[$0].queue.isEmpty }
            .min { links[$0].queue.first!.arrival < links[$1].queue.first!.arrival }
        if let next, let (packet, _, entered) = links[next].queue.pop() {
            stage.phase = .busy
            stage.entered = entered
            stage.status.packetsIn += 1
            stage.output.origin = packet.origin
            try stage.worker.offer(packet)
        } else {
            stage.phase = .finishing
            stage.entered = clock.now
            try stage.worker.finish()
        }
    }

    private func deliver(_ packet: Packet, to outputs: [Int], since entered: MediaTime) {
        arrivals += 1
        for link in outputs where !links[link].isCut { links[link].queue.push((packet, arrivals, entered)) }
    }

    /// A stage that throws takes nothing more and its output ends: the rest of the graph can finish.
    func attempt(_ stage: LaneStage, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            stage.phase = .over
            stage.status.state = .failed
            for link in stage.inputs {
                links[link].isCut = true
                links[link].queue.removeAll()
            }
            for link in stage.outputs { links[link].isEnded = true }
            report(stage.status.id, error)
        }
    }

    private func end(_ stage: LaneStage) {
        if stage.status.state == .running { stage.status.state = .ended }
        for link in stage.outputs { links[link].isEnded = true }
    }
}
