import Media

/// A source that was made, and where it is to send.
struct MadeSource: Sendable {
    let source: any Source
    let output: SourceOutput
}

/// Making the stages of a topology and laying the links between them, at the start and when the file has changed.
extension ComputeLane {
    /// Makes every stage of the file, in its order, and hands back the sources.
    func build(_ topology: Topology) async throws(GraphError) -> [MadeSource] {
        let made = try await make(topology.stages.map(\.id), of: topology)
        wire(topology)
        return install(made, of: topology, begin: { _ in .zero })
    }

    /// Makes stages, and changes nothing yet.
    func make(
        _ ids: [StageID], of topology: Topology
    ) async throws(GraphError) -> [(stage: StageDescription, body: StageBody)] {
        var made: [(stage: StageDescription, body: StageBody)] = []
        for stage in topology.stages where ids.contains(stage.id) {
            let context = StageContext(
                stage: stage.id, clock: clock, origins: topology.origins(of: stage.id),
                pace: stage.kind.pace(stage.settings))
            let body: StageBody
            do {
                body = try await stage.kind.make(stage.settings, context)
            } catch {
                throw .stageFailed(stage: stage.id, underlying: error)
            }
            switch (body, stage.kind.role) {
            case (.source, .source), (.worker, .transform), (.worker, .sink): made.append((stage, body))
            default: throw .wrongBody(stage: stage.id, kind: stage.kind.name)
            }
        }
        return made
    }

    /// Lays the links of `topology`. One that was there keeps what waits in it.
    func wire(_ topology: Topology) {
        let old = links
        links = []
        for stage in topology.stages {
            for input in stage.inputs {
                let policy = topology.policy(from: input, to: stage)
                var link =
                    old.first { $0.from == input && $0.to == stage.id }
                    ?? Link(from: input, to: stage.id, queue: BoundedQueue(policy))
                link.queue.policy = policy
                links.append(link)
            }
        }
        order = topology.stages.map(\.id)
        for stage in stages { connect(stage) }
        for source in sources { source.outputs = links.indices.filter { links[$0].from == source.status.id } }
    }

    private func connect(_ stage: LaneStage) {
        stage.inputs = links.indices.filter { links[$0].to == stage.status.id }
        stage.outputs = links.indices.filter { links[$0].from == stage.status.id }
    }

    /// Puts stages in their places. The links must have been laid.
    func install(
        _ made: [(stage: StageDescription, body: StageBody)], of topology: Topology, begin: (StageID) -> MediaTime
    ) -> [MadeSource] {
        var installed: [MadeSource] = []
        for (stage, body) in made {
            let status = GraphStatus.Stage(id: stage.id, kind: stage.kind.name, role: stage.kind.role)
            for link in links.indices where links[link].from == stage.id { links[link].isEnded = false }
            for link in links.indices where links[link].to == stage.id { links[link].isCut = false }
            switch body {
            case .source(let source):
                let pace = stage.kind.pace(stage.settings)
                let outputs = links.indices.filter { links[$0].from == stage.id }
                let inlet = Inlet(policy: inletPolicy(outputs), ring: { [ringer] in ringer.yield() })
                let laneSource = LaneSource(inlet, pace: pace, status: status)
                laneSource.outputs = outputs
                sources.append(laneSource)
                let output = SourceOutput(
                    source: stage.id, pace: pace, clock: clock, inlet: inlet, begin: begin(stage.id))
                clock.follow(stage.id, if: pace == .fast, from: output.begin)
                installed.append(MadeSource(source: source, output: output))
            case .worker(let worker):
                let laneStage = LaneStage(worker, origin: topology.origins(of: stage.id)[0], status: status)
                connect(laneStage)
                stages.append(laneStage)
            }
        }
        return installed
    }

    /// An inlet waits if one of its readers does; else it drops as they do.
    private func inletPolicy(_ outputs: [Int]) -> QueuePolicy {
        let policies = outputs.map { links[$0].queue.policy }
        let dropping = policies.contains { $0.whenFull == .wait } ? nil : policies.first
        return dropping ?? QueuePolicy(capacity: 8)  // a few blocks of reading ahead
    }
}
