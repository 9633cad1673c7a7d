import Media

/// Changing the file's stages while the graph runs.
extension ComputeLane {
    /// Stages and sources that have ended.
    var over: Set<StageID> {
        Set(stages.filter { $0.phase == .over }.map(\.status.id) + sources.filter(\.hasEnded).map(\.status.id))
    }

    /// Takes nothing more from these sources; their ends are none.
    func retire(sources ids: [StageID]) {
        for source in sources where ids.contains(source.status.id) { source.isRetired = true }
    }

    /// Makes the stages that a change asks for. Nothing that runs is touched yet.
    func prepare(_ ids: [StageID], of topology: Topology) async throws(GraphError) {
        prepared = try await make(ids, of: topology)
    }

    /// Puts what was prepared in the place of what `change` retires, and tells others of their new settings.
    ///
    /// What is open in a stage that goes is ended first, and what waits for it is worked off or left to its successor.
    /// - Returns: the sources that are to be run.
    func apply(
        _ change: TopologyChange, from old: Topology, to new: Topology
    ) -> [MadeSource] {
        defer { prepared = [] }
        let retired = old.upstreamFirst.compactMap { id in
            change.retired.contains(id) ? stages.first { $0.status.id == id && $0.phase != .over } : nil
        }
        if !change.retired.isEmpty {
            for source in Set(change.retired.flatMap { old.origins(of: $0) }) { flush(source, in: old) }
            settle(down: .picture, within: MediaTime(milliseconds: 2_000))
        }
        for stage in retired { finish(stage) }
        stages.removeAll { change.retired.contains($0.status.id) }
        let ends = Dictionary(uniqueKeysWithValues: sources.map { ($0.status.id, clock.now($0.status.id)) })
        sources.removeAll { change.retired.contains($0.status.id) }
        wire(new)
        let installed = install(prepared, of: new) { ends[$0] ?? clock.now }
        for stage in stages where stage.phase != .over {
            if change.made.contains(stage.status.id) { stage.status.state = .running }
            if change.adjusted[stage.status.id] != nil, let settings = new[stage.status.id]?.settings {
                instruct(stage) { try stage.worker.adjust(settings) }
            }
        }
        for source in sources where change.made.contains(source.status.id) { source.status.state = .running }
        ringer.yield()
        return installed
    }

    /// Lets a stage give its last, as at the end of its inputs.
    private func finish(_ stage: LaneStage) {
        let deadline = clock.now + MediaTime(milliseconds: 500)
        attempt(stage) {
            try stage.worker.finish()
            while try stage.worker.work(stage.output) == .more, clock.now < deadline {}
        }
        passOn(from: stage)
    }
}
