import Synchronization

/// What may be asked of a graph that runs: to be silent, to stand still, to end what is open, to change.
extension RunningGraph {
    /// How a source is.
    package struct SourceState: Equatable, Sendable {
        package let id: StageID
        package let kind: String
        package let hasEnded: Bool
        package let isMuted: Bool
        package let isPaused: Bool
    }

    /// The sources in the order of the file. Never waits.
    package var sourceStates: [SourceState] {
        life.state.withLock { state in
            state.topology.stages.filter { $0.kind.role == .source }.map { stage in
                let inlet = state.sources.last { $0.output.source == stage.id }?.output.inlet
                return SourceState(
                    id: stage.id, kind: stage.kind.name, hasEnded: inlet?.isClosed ?? true,
                    isMuted: inlet?.isMuted ?? false, isPaused: inlet?.isPaused ?? false)
            }
        }
    }

    private func inlet(_ source: StageID) -> Inlet? {
        life.state.withLock { $0.sources.last { $0.output.source == source }?.output.inlet }
    }

    /// Lets nothing of `source` in any more, or everything again. What is open behind it ends.
    /// - Parameter forgetting: what was heard and is not told yet is thrown away, and what is open is given up.
    /// - Returns: once nothing of before the order can come out any more, but for finals that are being made.
    package func mute(_ isMuted: Bool, _ source: StageID, forgetting: Bool = false) async {
        // Shut first, so that nothing slips by; opened last.
        if isMuted { inlet(source)?.mute(true, forgetting: forgetting) }
        await lane.mute(isMuted, source, forgetting: forgetting && isMuted, in: topology)
        if !isMuted { inlet(source)?.mute(false, forgetting: false) }
    }

    /// Ends what is open behind `source`.
    package func flush(_ source: StageID) async { await lane.flush(source, in: topology) }

    /// Recorded sources stand still, and nothing is taken from devices, until `resume`. What is open ends.
    package func pause() async {
        let sources = life.state.withLock { state in
            state.isPaused = true
            for run in state.sources { run.output.inlet.pause() }
            return state.topology.stages.filter { $0.kind.role == .source }.map(\.id)
        }
        for source in sources { await flush(source) }
    }

    package func resume() {
        let inlets = life.state.withLock { state in
            state.isPaused = false
            return state.sources.map(\.output.inlet)
        }
        for inlet in inlets { inlet.resume() }
    }

    package var isPaused: Bool { life.state.withLock { $0.isPaused } }

    /// Changes what runs to `topology`, as little as needed: stages that did not change go on undisturbed. One change at
    /// a time.
    ///
    /// - Returns: what was changed.
    /// - Throws: `stageFailed` if a stage cannot be made, `over` once the graph has ended; nothing has changed then.
    package func reload(_ new: Topology) async throws(GraphError) -> TopologyChange {
        let old = topology
        let change = TopologyChange(from: old, to: new, over: await lane.over)
        if life.ended.isOpen || life.stopping.isOpen { throw .over }
        if change.isEmpty {
            life.state.withLock { $0.topology = new }
            return change
        }
        try await lane.prepare(change.made, of: new)

        let leaving = life.state.withLock { state in
            state.sources.filter { change.retired.contains($0.output.source) }
        }
        let muted = sourceStates.filter(\.isMuted).map(\.id)
        await lane.retire(sources: leaving.map(\.output.source))
        for run in leaving { run.end() }
        // A device can be opened again once it is closed.
        if life.started.isOpen { for run in leaving { await run.ended.wait() } }

        let sources = await lane.apply(change, from: old, to: new)
        life.state.withLock { state in
            state.topology = new
            state.sources.removeAll { change.retired.contains($0.output.source) }
        }
        for made in sources where muted.contains(made.output.source) { made.output.inlet.mute(true, forgetting: false) }
        life.launch(sources)
        for id in muted { await lane.mute(true, id, forgetting: false, in: new) }
        return change
    }
}
