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
    private nonisolated let ringer: AsyncStream<Void>.Continuation
    private let clock: StreamClock
    private let report: @Sendable (StageID, any Error) -> Void
    private var order: [StageID] = []
    private var stages: [LaneStage] = []
    private var sources: [LaneSource] = []
    private var links: [Link] = []
    private var turn = 0
    private var arrivals = 0

    /// `report` hears of stages that threw.
    init(clock: StreamClock, report: @escaping @Sendable (StageID, any Error) -> Void) {
        (bell, ringer) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.clock = clock
        self.report = report
    }

    deinit { thread.finish() }

    /// Makes every stage of the file, in its order, and hands back the sources.
    func build(_ topology: Topology) async throws(GraphError) -> [(source: any Source, output: SourceOutput)] {
        var made: [(any Source, SourceOutput)] = []
        for stage in topology.stages {
            for input in stage.inputs {
                let policy = topology.policy(from: input, to: stage)
                links.append(Link(from: input, to: stage.id, queue: BoundedQueue(policy)))
            }
        }
        for stage in topology.stages {
            order.append(stage.id)
            let origins = topology.origins(of: stage.id)
            let pace = stage.kind.pace(stage.settings)
            let context = StageContext(stage: stage.id, clock: clock, origins: origins, pace: pace)
            let status = GraphStatus.Stage(id: stage.id, kind: stage.kind.name, role: stage.kind.role)
            let outputs = links.indices.filter { links[$0].from == stage.id }
            let body: StageBody
            do {
                body = try await stage.kind.make(stage.settings, context)
            } catch {
                throw .stageFailed(stage: stage.id, underlying: error)
            }
            switch (body, stage.kind.role) {
            case (.source(let source), .source):
                let inlet = Inlet(policy: inletPolicy(outputs), ring: { [ringer] in ringer.yield() })
                if pace == .fast { clock.follow(stage.id) }
                sources.append(LaneSource(inlet, outputs: outputs, pace: pace, status: status))
                made.append((source, SourceOutput(source: stage.id, pace: pace, clock: clock, inlet: inlet)))
            case (.worker(let worker), .transform), (.worker(let worker), .sink):
                let inputs = links.indices.filter { links[$0].to == stage.id }
                stages.append(
                    LaneStage(worker, inputs: inputs, outputs: outputs, origin: origins[0], status: status))
            default:
                throw .wrongBody(stage: stage.id, kind: stage.kind.name)
            }
        }
        return made
    }

    /// An inlet waits if one of its readers does; else it drops as they do.
    private func inletPolicy(_ outputs: [Int]) -> QueuePolicy {
        let policies = outputs.map { links[$0].queue.policy }
        let dropping = policies.contains { $0.whenFull == .wait } ? nil : policies.first
        return dropping ?? QueuePolicy(capacity: 8)  // a few blocks of reading ahead
    }

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
        attempt(stage) { try stage.worker.control(control) }
        if stage.phase == .idle { stage.phase = .busy }
        ringer.yield()
        return true
    }

    func status() -> GraphStatus {
        var all: [StageID: GraphStatus.Stage] = [:]
        for stage in stages { all[stage.status.id] = stage.status }
        for source in sources {
            all[source.status.id] = source.status
            all[source.status.id]?.dropped = source.inlet.dropped
        }
        return GraphStatus(
            streamTime: sources.map { clock.now($0.status.id) }.max() ?? .zero,
            stages: order.compactMap { all[$0] }, links: links.map(\.status))
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

    private func mostUrgent() -> LaneStage? {
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

    private func admitLive() {
        for source in sources where source.pace != .fast && !source.hasEnded {
            while source.inlet.head != .nothing, !source.outputs.contains(where: { links[$0].queue.holdsUp }) {
                admit(source)
                if source.hasEnded { break }
            }
        }
    }

    private func admitFast() -> Bool {
        var earliest: (source: LaneSource, time: MediaTime)?
        for source in sources where source.pace == .fast && !source.hasEnded {
            let time: MediaTime
            switch source.inlet.head {
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
        if let (packet, position) = source.inlet.take() {
            clock.advance(source.status.id, to: position)
            source.status.packetsOut += 1
            deliver(packet, to: source.outputs)
        } else if case .end(let failed) = source.inlet.head {
            source.hasEnded = true
            source.status.state = failed ? .failed : .ended
            for link in source.outputs { links[link].isEnded = true }
        }
    }
}

// Working
extension ComputeLane {
    private func runQuantum(of stage: LaneStage) {
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
        for packet in stage.output.take() {
            stage.status.packetsOut += 1
            deliver(packet, to: stage.outputs)
        }
        if stage.phase == .over { end(stage) }
    }

    /// Offers the packet that arrived first, or tells that there are no more.
    private func beginWork(of stage: LaneStage) throws {
        let next = stage.inputs.filter { !links[$0].queue.isEmpty }
            .min { links[$0].queue.first!.arrival < links[$1].queue.first!.arrival }
        if let next, let (packet, _) = links[next].queue.pop() {
            stage.phase = .busy
            stage.status.packetsIn += 1
            stage.output.origin = packet.origin
            try stage.worker.offer(packet)
        } else {
            stage.phase = .finishing
            try stage.worker.finish()
        }
    }

    private func deliver(_ packet: Packet, to outputs: [Int]) {
        arrivals += 1
        for link in outputs where !links[link].isCut { links[link].queue.push((packet, arrivals)) }
    }

    /// A stage that throws takes nothing more and its output ends: the rest of the graph can finish.
    private func attempt(_ stage: LaneStage, _ body: () throws -> Void) {
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
