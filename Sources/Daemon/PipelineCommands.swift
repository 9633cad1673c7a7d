package import EventServer
package import Events
package import Graph
import Synchronization

/// What clients may change of a pipeline that runs: `set` and `reload`.
package final class PipelineCommands: Sendable {
    private struct State {
        /// What the file said when it was read last.
        var text: String
        /// What was `set` since, the newest last.
        var adjustments: [Override] = []
    }

    private let graph: RunningGraph
    private let registry: StageRegistry
    /// Those of the command line: they outlive a reload.
    private let overrides: [Override]
    private let turnstile: Turnstile
    private let state: Mutex<State>

    /// - Parameter text: the pipeline file as `graph` runs it.
    package init(
        graph: RunningGraph, registry: StageRegistry, text: String, overrides: [Override], turnstile: Turnstile
    ) {
        self.graph = graph
        self.registry = registry
        self.overrides = overrides
        self.turnstile = turnstile
        state = Mutex(State(text: text))
    }

    /// Changes settings of a stage that may change while it runs; they hold until they are set anew, or `reload`.
    ///
    /// - Parameter fields: `stage`, and `key` with `value`, or `settings` with several.
    /// - Throws: `badValue` for what the pipeline file would not take either, and for what only a reload can change.
    package func set(_ fields: JSONObject) async throws(CommandError) -> JSONValue {
        guard let stage = fields["stage"]?.string, let kind = graph.topology[StageID(stage)]?.kind else {
            let names = graph.topology.stages.map { "'\($0.id)'" }.joined(separator: ", ")
            throw CommandError(.badValue, "`stage` is one of: \(names).", field: "stage")
        }
        let settings = try settings(fields)
        let live = kind.settings.filter(\.isLive).map(\.key)
        for member in settings.members where !live.contains(member.name) {
            let known = kind.settings.contains { $0.key == member.name }
            let what =
                known
                ? "'\(member.name)' of '\(stage)' cannot change while it runs. Change the file and `reload`."
                : "'\(stage)' (kind \(kind.name)) has no setting '\(member.name)'."
            let those = live.isEmpty ? "None of its settings can be set." : "These can be set: \(list(live))."
            throw CommandError(.badValue, "\(what) \(those)", field: fields["key"] == nil ? "settings" : "key")
        }
        return try await turnstile.pass { () async throws(CommandError) in
            var changed = state.withLock { $0 }
            changed.adjustments += settings.members.map { Override("\(stage).\($0.name)=\(text($0.value))") }
            _ = try await change(to: changed, field: fields["key"] == nil ? "settings" : "value")
            return ["stage": .string(stage), "settings": .object(settings)]
        }
    }

    /// Reads the file anew and changes what runs to it: stages that did not change go on undisturbed.
    ///
    /// - Returns: the names of the stages that were `added`, `removed`, `restarted`, and `adjusted` with the settings.
    /// - Throws: `badConfiguration` with every problem of the file, `failed` for a stage that cannot be made; nothing has
    ///   changed then.
    package func reload() async throws(CommandError) -> JSONValue {
        try await turnstile.pass { () async throws(CommandError) in
            let text: String
            do { text = try Topology.text(of: graph.topology.file) } catch {
                throw CommandError(.badConfiguration, "Nothing was changed. \(error)")
            }
            let change = try await change(to: State(text: text), field: nil)
            let restarted = change.made.filter { change.retired.contains($0) }
            return [
                "added": wire(change.made.filter { !change.retired.contains($0) }),
                "removed": wire(change.retired.filter { !change.made.contains($0) }), "restarted": wire(restarted),
                "adjusted": wire(change.adjusted.keys.sorted { $0.name < $1.name })
            ]
        }
    }

    private func change(to new: State, field: String?) async throws(CommandError) -> TopologyChange {
        let topology: Topology
        do {
            topology = try Topology.parse(
                new.text, file: graph.topology.file, overrides: overrides + new.adjustments, registry: registry)
        } catch {
            throw CommandError(
                field == nil ? .badConfiguration : .badValue, "Nothing was changed. \(error)", field: field)
        }
        do {
            let change = try await graph.reload(topology)
            state.withLock { $0 = new }
            return change
        } catch {
            let code: CommandError.Code = if case .over = error { .notAvailable } else { .failed }
            throw CommandError(code, "Nothing was changed. \(error)")
        }
    }

    // MARK: - Fields

    private func settings(_ fields: JSONObject) throws(CommandError) -> JSONObject {
        if let settings = fields["settings"]?.object, fields["key"] == nil, !settings.members.isEmpty {
            return settings
        }
        guard fields["settings"] == nil, let key = fields["key"]?.string, let value = fields["value"] else {
            throw CommandError(
                .badValue, "`set` takes `key` and `value`, or `settings` with one or more of them.",
                field: fields["settings"] == nil ? "key" : "settings")
        }
        return [key: value]
    }

    /// A value as it would stand in a file.
    private func text(_ value: JSONValue) -> String { value.string ?? value.jsonText }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }

    private func wire(_ ids: [StageID]) -> JSONValue { .array(ids.map { .string($0.name) }) }
}
