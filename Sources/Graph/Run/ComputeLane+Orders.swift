import Media

/// Orders to all stages behind a source. Each comes between quanta, after what was sent before it.
extension ComputeLane {
    /// Ends what is open behind `source`.
    func flush(_ source: StageID, in topology: Topology) {
        admitLive()
        settle(down: .signal)
        for stage in behind(source, topology) { instruct(stage) { try stage.worker.control(.flush) } }
        settle(down: .signal)
    }

    /// What is open behind `source` ends, as nothing more comes; or may come again.
    /// - Parameter forgetting: what waits is thrown away, and what is open is given up untold.
    func mute(_ isMuted: Bool, _ source: StageID, forgetting: Bool, in topology: Topology) {
        if forgetting {
            forget(source, topology)
        } else {
            admitLive()
            settle(down: .signal)
        }
        for stage in behind(source, topology) { instruct(stage) { try stage.worker.control(.mute(isMuted)) } }
        // What was open is told to be over before the order is answered; a final takes its time.
        settle(down: forgetting ? .speech : .signal)
    }

    private func forget(_ source: StageID, _ topology: Topology) {
        let sinks = Set(stages.filter { $0.status.role == .sink }.map(\.status.id))
        // What waits at a sink was decided before: an utterance that was begun there must end there, too.
        for link in links.indices where !sinks.contains(links[link].to) {
            links[link].queue.removeAll { $0.packet.origin == source }
        }
        for stage in behind(source, topology) { instruct(stage) { try stage.worker.control(.forget) } }
    }

    /// The workers behind `source` that still run, upstream first.
    private func behind(_ source: StageID, _ topology: Topology) -> [LaneStage] {
        topology.upstreamFirst.compactMap { id in
            stages.first { $0.status.id == id && $0.phase != .over && topology.origins(of: id).contains(source) }
        }
    }

    /// Runs stages of at least this urgency until they have nothing to do, and takes in nothing new meanwhile.
    /// It gives up after a while: something that never rests must not hold up the lane.
    func settle(down urgency: Urgency, within time: MediaTime = MediaTime(milliseconds: 500)) {
        let deadline = clock.now + time
        while let stage = mostUrgent(), stage.worker.urgency >= urgency, clock.now < deadline {
            runQuantum(of: stage)
        }
    }
}
