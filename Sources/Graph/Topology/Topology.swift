/// A stage as a pipeline file describes it: checked, with every default filled in.
package struct StageDescription: Sendable {
    package let id: StageID
    package let kind: StageKind
    package let place: Problem.Place
    /// Whom it reads, in the order of the file; empty for a source.
    package let inputs: [StageID]
    /// The queue of each of its input links.
    package let queue: QueuePolicy
    package let settings: StageSettings
}

/// A pipeline file once read and found good: who feeds whom.
///
/// ```
/// text ─► DocumentNode ─► (overrides) ─► TopologyReader ─► Topology ─► RunningGraph
///                                            └► all problems at once
/// ```
package struct Topology: Sendable {
    package let name: String
    /// The path of the file, as given.
    package let file: String
    /// In the order of the file; never a cycle.
    package let stages: [StageDescription]
    /// What is probably not meant, yet runs.
    package let warnings: [Problem]

    /// Reads a pipeline file.
    ///
    /// - Parameters:
    ///   - overrides: replace what the file says, before it is judged.
    ///   - registry: the kinds of stage that there are.
    /// - Throws: `missing`, `unreadable`, or `invalid` with every problem there is.
    package static func load(
        _ file: String, overrides: [Override] = [], registry: StageRegistry
    ) throws(TopologyError) -> Topology {
        try parse(try text(of: file), file: file, overrides: overrides, registry: registry)
    }

    /// The text of a pipeline file.
    /// - Throws: `missing`, `unreadable`.
    package static func text(of file: String) throws(TopologyError) -> String { try PipelineFile.read(file) }

    /// Reads the text of a pipeline file; `file` is its path, for messages and for the paths in it.
    package static func parse(
        _ text: String, file: String, overrides: [Override] = [], registry: StageRegistry
    ) throws(TopologyError) -> Topology {
        var parser = DocumentParser(file: file)
        guard var root = parser.parse(text) else { throw .invalid(parser.problems) }
        var problems = parser.problems
        for override in overrides {
            do { try override.apply(to: &root) } catch { problems.append(error.problem) }
        }
        var reader = TopologyReader(file: file, registry: registry, problems: problems)
        guard let topology = reader.read(root) else { throw .invalid(reader.problems.inOrder) }
        return topology
    }

    package subscript(id: StageID) -> StageDescription? { stages.first { $0.id == id } }

    /// The sources that a stage's values stem from, in the order of the file; for a source, itself.
    package func origins(of id: StageID) -> [StageID] {
        var found: Set<StageID> = []
        var pending = [id]
        while let next = pending.popLast() {
            if found.insert(next).inserted { pending += self[next]?.inputs ?? [] }
        }
        return stages.filter { found.contains($0.id) && $0.kind.role == .source }.map(\.id)
    }

    /// The stages, each after those it reads.
    package var upstreamFirst: [StageID] {
        var sorted: [StageID] = []
        while sorted.count < stages.count {
            sorted += stages.filter { stage in
                !sorted.contains(stage.id) && stage.inputs.allSatisfy { sorted.contains($0) }
            }.map(\.id)
        }
        return sorted
    }

    /// The queue of a link: the reader's, except that behind a `fast` source every link waits.
    package func policy(from input: StageID, to stage: StageDescription) -> QueuePolicy {
        let isFast = origins(of: input).contains { origin in
            self[origin].map { $0.kind.pace($0.settings) == .fast } ?? false
        }
        return QueuePolicy(capacity: stage.queue.capacity, whenFull: isFast ? .wait : stage.queue.whenFull)
    }

    /// What the kinds have to say that is no fault of the file: a device, a model, a recording that is not there.
    package func notes() -> [String] {
        stages.flatMap { stage in stage.kind.notes(stage.settings).map { "stage '\(stage.id)': \($0)" } }
    }
}

extension [Problem] {
    /// Arguments first, then by line.
    var inOrder: [Problem] {
        enumerated().sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }.map(\.element)
    }
}
