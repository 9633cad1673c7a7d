import Capture
import Catalog
import EventServer
import Events
import Graph
import Media
import Stages
import Synchronization

/// What clients may ask of a daemon, and the state behind the answers.
final class DaemonControl: CommandHandler {
    private struct State {
        var graph: RunningGraph?
        var sight: SightCommands?
        var ask: AskCommand?
        var sources: [SourceStatus] = []
        var name = ""
        var failure: GraphError?
        var quit: (@Sendable () async -> Void)?
    }

    private let state = Mutex(State())
    private let store: ModelStore

    init(store: ModelStore) { self.store = store }

    var pipeline: PipelineStatus { state.withLock { PipelineStatus(name: $0.name, sources: $0.sources) } }
    var failure: GraphError? { state.withLock { $0.failure } }

    func attach(_ graph: RunningGraph, _ environment: StageEnvironment) {
        state.withLock {
            $0.graph = graph
            $0.sight = SightCommands(graph: graph, environment: environment)
            $0.ask = AskCommand(graph: graph, environment: environment)
            $0.name = graph.topology.name
            $0.sources = graph.topology.stages.filter { $0.kind.role == .source }.map {
                SourceStatus(id: $0.id.name, kind: $0.kind.name, state: "waiting")
            }
        }
    }

    func onQuit(_ quit: @escaping @Sendable () async -> Void) { state.withLock { $0.quit = quit } }

    func started() { setSources("running") }

    func ended() async { setSources("ended") }

    func fail(_ error: GraphError) { state.withLock { $0.failure = $0.failure ?? error } }

    private func setSources(_ value: String) {
        state.withLock { for index in $0.sources.indices { $0.sources[index].state = value } }
    }

    func handle(_ command: String, fields: JSONObject, role: Role) async -> Result<JSONValue, CommandError> {
        let graph = state.withLock { $0.graph }
        switch command {
        case "status", "stats":
            guard let graph else { return .success(["state": "loading"]) }
            return .success(DaemonReport(await graph.status(), topology: graph.topology).wire)
        case "graph":
            guard let graph else { return .success([:]) }
            var drawings: JSONObject = [:]
            for drawing in GraphDrawing.allCases {
                drawings[drawing.rawValue] = .string(drawing.text(of: graph.topology))
            }
            return .success(.object(drawings))
        case "devices":
            return .success([
                "microphones": .array(DeviceList.microphones().map(\.wire)),
                "cameras": .array(DeviceList.cameras().map(\.wire))
            ])
        case "models":
            return .success(["models": .array(store.entries.map(wire))])
        case "ask":
            return await answer(ask) { ask throws(CommandError) in try await ask(fields) }
        case "describe":
            return await answer(sight) { sight throws(CommandError) in try await sight.describe(fields) }
        case "snapshot":
            return await answer(sight) { sight throws(CommandError) in try await sight.snapshot(fields) }
        case "quit":
            await state.withLock { $0.quit }?()
            return .success([:])
        default:
            return .success([:])
        }
    }

    private var sight: SightCommands? { state.withLock { $0.sight } }
    private var ask: AskCommand? { state.withLock { $0.ask } }

    private func answer<Commands>(
        _ commands: Commands?, _ answer: (Commands) async throws(CommandError) -> JSONValue
    ) async -> Result<JSONValue, CommandError> {
        guard let commands else {
            return .failure(CommandError(.notAvailable, "The models are being loaded. Ask again in a moment."))
        }
        do { return .success(try await answer(commands)) } catch { return .failure(error) }
    }

    private func wire(_ entry: CatalogEntry) -> JSONValue {
        [
            "name": .string(entry.name), "bytes": .int(entry.bytes), "licence": .string(entry.licence),
            "installed": .bool(store.state(of: entry) == .installed)
        ]
    }
}

extension MicrophoneDescription {
    fileprivate var wire: JSONValue {
        [
            "name": .string(name), "label": .string(label), "state": .string(state.rawValue),
            "formats": .array(formats.map { .string($0.rawValue) }), "rates_hz": .array(ratesHz.map { .int($0) }),
            "channels": .array(channels.map { [.int($0.lowerBound), .int($0.upperBound)] } ?? [])
        ]
    }
}

extension CameraDescription {
    fileprivate var wire: JSONValue {
        [
            "device": .string(device), "name": .string(card), "bus": .string(bus), "state": .string(state.rawValue),
            "formats": .array(formats.map(wire)), "other_formats": .array(otherFormats.map { .string($0) })
        ]
    }

    private func wire(_ format: Format) -> JSONValue {
        [
            "format": .string(format.format.rawValue),
            "sizes": .array(
                format.sizes.map {
                    [
                        "width": .int($0.size.width), "height": .int($0.size.height),
                        "fps": .array($0.rates.map { .double($0) })
                    ]
                })
        ]
    }
}
