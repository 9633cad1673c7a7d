package import EventServer
package import Events
package import Graph
import Media
import Scenes
package import Stages

/// What clients may ask of the picture sources of a pipeline: `describe` and `snapshot`.
package struct SightCommands: Sendable {
    private let graph: RunningGraph
    private let environment: StageEnvironment

    package init(graph: RunningGraph, environment: StageEnvironment) {
        self.graph = graph
        self.environment = environment
    }

    /// Has the newest picture told as a scene, with reason `ask`; its events follow as those of any scene.
    ///
    /// - Parameter fields: `src`: only what looks at this source; else everything that looks at one.
    /// - Returns: `scenes`: the number and source of each; `scene` as well if it is one.
    /// - Throws: `notAvailable` where nothing looks, nothing looks at `src`, or there is no picture yet.
    package func describe(_ fields: JSONObject) async throws(CommandError) -> JSONValue {
        let gates = graph.topology.stages.filter { $0.kind.output == SceneFrame.port }.flatMap { gate in
            graph.topology.origins(of: gate.id).map { (stage: gate.id, source: $0) }
        }
        guard !gates.isEmpty else {
            throw CommandError(
                .notAvailable,
                "Pipeline '\(graph.topology.name)' has no stage that looks for scenes. "
                    + "Add scene_change and label behind a camera, as Pipelines/describe.yaml does.")
        }
        var chosen = gates
        if let name = try sourceName(fields) {
            chosen = gates.filter { $0.source.name == name }
            guard !chosen.isEmpty else { throw unknown(name, among: gates.map(\.source)) }
        }
        let ready = chosen.filter { environment.frames.latest(of: $0.source) != nil }
        guard !ready.isEmpty else { throw noPicture(of: chosen.map(\.source)) }

        var scenes: [JSONValue] = []
        for gate in ready {
            let scene = environment.nextScene().number
            guard await graph.control(.describe(scene: scene), of: gate.stage) else { continue }
            scenes.append(["scene": .int(scene), "src": .string(gate.source.name)])
        }
        guard let first = scenes.first else {
            throw CommandError(
                .notAvailable, "What looks at \(list(ready.map(\.source))) has ended. Start the daemon anew.")
        }
        var result: JSONObject = ["scenes": .array(scenes)]
        if scenes.count == 1 { result["scene"] = first["scene"] }
        return .object(result)
    }

    /// The newest picture of a source as a JPEG in base64, small enough for one line.
    ///
    /// - Parameter fields: `src`: needed where there are several; `max_width` in pixels.
    /// - Throws: `badValue`, or `notAvailable` where there is no such source, or no picture yet; `failed` for a picture
    ///   that cannot be decoded.
    package func snapshot(_ fields: JSONObject) async throws(CommandError) -> JSONValue {
        let sources = graph.topology.stages.filter { $0.kind.role == .source && $0.kind.output == VideoFrame.port }
            .map(\.id)
        var maxWidth: Int?
        if let value = fields["max_width"] {
            guard let width = value.int, width >= Snapshot.smallestWidth else {
                throw CommandError(
                    .badValue, "`max_width` is a whole number of pixels from \(Snapshot.smallestWidth).",
                    field: "max_width")
            }
            maxWidth = width
        }
        let source = try choose(fields, among: sources)
        guard let frame = environment.frames.latest(of: source) else { throw noPicture(of: [source]) }
        var result: JSONObject = ["src": .string(source.name), "frame_ms": .int(frame.time.milliseconds)]
        do {
            let snapshot = try Snapshot(of: frame, maxWidth: maxWidth, base64Limit: Self.replyBytes - result.bytes)
            result["width"] = .int(snapshot.size.width)
            result["height"] = .int(snapshot.size.height)
            result["jpeg"] = .string(snapshot.base64)
        } catch {
            throw CommandError(.failed, "The newest picture of '\(source)' cannot be shown: \(error)")
        }
        return .object(result)
    }

    /// The bytes of a line, less those around the result: `ok`, the names and numbers, and an `id` of some length.
    private static let replyBytes = 65_536 - 512

    private func choose(_ fields: JSONObject, among sources: [StageID]) throws(CommandError) -> StageID {
        let name = try sourceName(fields)
        guard let only = sources.first else {
            throw CommandError(
                .notAvailable,
                "Pipeline '\(graph.topology.name)' has no source of pictures. Add a camera, as Pipelines/describe.yaml does."
            )
        }
        if let name {
            guard let source = sources.first(where: { $0.name == name }) else { throw unknown(name, among: sources) }
            return source
        }
        guard sources.count == 1 else {
            throw CommandError(
                .badValue, "There are several sources of pictures. Name one with `src`: \(list(sources)).", field: "src"
            )
        }
        return only
    }

    private func sourceName(_ fields: JSONObject) throws(CommandError) -> String? {
        guard let value = fields["src"] else { return nil }
        guard let name = value.string else {
            throw CommandError(.badValue, "`src` is the name of a source stage.", field: "src")
        }
        return name
    }

    private func unknown(_ name: String, among sources: [StageID]) -> CommandError {
        CommandError(.notAvailable, "There are no pictures of '\(name)'. Name one of: \(list(sources)).", field: "src")
    }

    private func noPicture(of sources: [StageID]) -> CommandError {
        CommandError(
            .notAvailable,
            "No picture has come from \(list(sources)) yet. Ask again in a moment; `narrator status` tells how it is.")
    }

    /// `'camera', 'door'`, each once.
    private func list(_ sources: [StageID]) -> String {
        var names: [String] = []
        for source in sources where !names.contains(source.name) { names.append(source.name) }
        return names.map { "'\($0)'" }.joined(separator: ", ")
    }
}

extension JSONObject {
    fileprivate var bytes: Int { JSONValue.object(self).jsonBytes.count }
}
