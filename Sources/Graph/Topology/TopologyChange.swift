/// What must be done so that a graph that runs one topology runs another: as little as possible.
package struct TopologyChange: Equatable, Sendable {
    /// Stages made anew: those that are new, and those of which something changed that a running stage cannot take.
    package internal(set) var made: [StageID] = []
    /// Stages that end: those that are gone, and those that are made anew.
    package internal(set) var retired: [StageID] = []
    /// Stages that go on with other settings, and the keys of these.
    package internal(set) var adjusted: [StageID: [String]] = [:]
    /// Links or queues changed, though no stage did.
    package internal(set) var isRewired = false

    package var isEmpty: Bool { made.isEmpty && retired.isEmpty && adjusted.isEmpty && !isRewired }

    /// - Parameter over: stages of `old` that have ended. Behind a source that begins anew they must, too.
    package init(from old: Topology, to new: Topology, over: Set<StageID> = []) {
        for stage in new.stages {
            guard let before = old[stage.id] else {
                made.append(stage.id)
                continue
            }
            let keys = Self.changedKeys(before, stage)
            let mayGoOn =
                before.kind.name == stage.kind.name && old.origins(of: stage.id) == new.origins(of: stage.id)
                && keys.allSatisfy { key in stage.kind.settings.contains { $0.key == key && $0.isLive } }
            if !mayGoOn {
                made.append(stage.id)
                retired.append(stage.id)
            } else if !keys.isEmpty {
                adjusted[stage.id] = keys
            }
            if before.inputs != stage.inputs || before.queue != stage.queue { isRewired = true }
        }
        retired += old.stages.map(\.id).filter { new[$0] == nil }
        revive(over, in: new)
    }

    /// The keys of settings whose values differ.
    private static func changedKeys(_ old: StageDescription, _ new: StageDescription) -> [String] {
        new.kind.settings.map(\.key).filter { old.settings[$0] != new.settings[$0] }
    }

    private mutating func revive(_ over: Set<StageID>, in topology: Topology) {
        for stage in topology.stages where over.contains(stage.id) && !made.contains(stage.id) {
            let lives = topology.origins(of: stage.id).contains { made.contains($0) || !over.contains($0) }
            guard stage.kind.role != .source, lives else { continue }
            adjusted[stage.id] = nil
            made.append(stage.id)
            retired.append(stage.id)
        }
    }
}
