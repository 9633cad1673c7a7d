import Catalog
import EventServer
import Events
import Graph
import Media
import Stages
import Synchronization

/// What clients may ask of a daemon, and the state behind the answers.
final class DaemonControl: CommandHandler {
    /// What there is once the models are loaded.
    struct Pipeline {
        let graph: RunningGraph
        let watch: EventWatch
        let devices: DeviceReports
        let sight: SightCommands
        let ask: AskCommand
        let sources: SourceCommands
        let changes: PipelineCommands
    }

    private struct State {
        var pipeline: Pipeline?
        var hasStarted = false
        var failure: (any Error)?
        var quit: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let store: ModelStore

    init(store: ModelStore) { self.store = store }

    /// How the daemon is in short; never waits.
    var status: PipelineStatus {
        let (pipeline, hasStarted) = state.withLock { ($0.pipeline, $0.hasStarted) }
        guard let pipeline else { return PipelineStatus(name: "", sources: []) }
        let sources = pipeline.graph.sourceStates.map { source in
            SourceStatus(
                id: source.id.name, kind: source.kind, state: hasStarted ? word(source, pipeline.watch) : "waiting",
                muted: source.isMuted)
        }
        return PipelineStatus(name: pipeline.graph.topology.name, sources: sources)
    }

    private func word(_ source: RunningGraph.SourceState, _ watch: EventWatch) -> String {
        if source.hasEnded { return "ended" }
        if watch.isAway(source.id.name) { return "lost" }
        return source.isPaused ? "paused" : "running"
    }

    var failure: (any Error)? { state.withLock { $0.failure } }

    func attach(_ pipeline: Pipeline) { state.withLock { $0.pipeline = pipeline } }

    func onQuit(_ quit: @escaping @Sendable () -> Void) { state.withLock { $0.quit = quit } }

    func started() { state.withLock { $0.hasStarted = true } }

    func fail(_ error: any Error) { state.withLock { $0.failure = $0.failure ?? error } }

    /// The daemon ends: nothing is to happen by itself any more.
    func shutDown() { state.withLock { $0.pipeline }?.sources.shutDown() }

    /// Each command is one line here and one row in the server's table.
    func handle(_ command: String, fields: JSONObject, role: Role) async -> Result<JSONValue, CommandError> {
        switch command {
        case "devices":
            return .success(DeviceListing.now)
        case "models": return .success(["models": .array(store.entries.map(wire))])
        case "quit":
            state.withLock { $0.quit }?()
            return .success([:])
        default: break
        }
        guard let pipeline = state.withLock({ $0.pipeline }) else {
            return .failure(CommandError(.notAvailable, "The models are being loaded. Ask again in a moment."))
        }
        do throws(CommandError) { return .success(try await answer(command, fields, pipeline)) } catch {
            return .failure(error)
        }
    }

    private func answer(
        _ command: String, _ fields: JSONObject, _ pipeline: Pipeline
    ) async throws(CommandError) -> JSONValue {
        let graph = pipeline.graph
        switch command {
        case "status", "stats":
            return DaemonReport(await graph.status(), watch: pipeline.watch, devices: pipeline.devices).wire
        case "graph":
            var drawings: JSONObject = [:]
            for drawing in GraphDrawing.allCases {
                drawings[drawing.rawValue] = .string(drawing.text(of: graph.topology))
            }
            return .object(drawings)
        case "ask": return try await pipeline.ask(fields)
        case "describe": return try await pipeline.sight.describe(fields)
        case "snapshot": return try await pipeline.sight.snapshot(fields)
        case "mute": return try await pipeline.sources.mute(fields)
        case "unmute": return try await pipeline.sources.unmute(fields)
        case "pause": return try await pipeline.sources.pause()
        case "resume": return try await pipeline.sources.resume()
        case "flush": return try await pipeline.sources.flush(fields)
        case "set": return try await pipeline.changes.set(fields)
        case "reload": return try await pipeline.changes.reload()
        default: throw CommandError(.notAvailable, "This daemon cannot '\(command)'.")
        }
    }

    /// What SIGHUP asks for; tells what came of it.
    func reload() async -> Result<JSONValue, CommandError> { await handle("reload", fields: [:], role: .control) }

    private func wire(_ entry: CatalogEntry) -> JSONValue {
        [
            "name": .string(entry.name), "bytes": .int(entry.bytes), "licence": .string(entry.licence),
            "installed": .bool(store.state(of: entry) == .installed)
        ]
    }
}
