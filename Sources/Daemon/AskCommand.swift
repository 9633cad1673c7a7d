package import EventServer
package import Events
package import Graph
import Media
import Scenes
package import Stages

/// What clients may ask the models of a pipeline: `ask`.
package struct AskCommand: Sendable {
    private let graph: RunningGraph
    private let environment: StageEnvironment

    /// Of what was said, unless the question says otherwise.
    private static let speechSeconds = 60

    package init(graph: RunningGraph, environment: StageEnvironment) {
        (self.graph, self.environment) = (graph, environment)
    }

    /// Has a question answered; `answer.delta` and `answer.final` follow as events.
    ///
    /// - Parameter fields: `prompt`; `frame`: `now`, which is meant if nothing is said, `none` or the number of a scene that is
    ///   still kept; `speech_s`: how many seconds of what was said go with the question, 60 if not given; `src`: whose
    ///   pictures, where there are several.
    /// - Returns: `ask`, the number of the question.
    /// - Throws: `badValue`; `notAvailable` where nothing answers, or the picture is not there.
    package func callAsFunction(_ fields: JSONObject) async throws(CommandError) -> JSONValue {
        guard let prompt = fields["prompt"]?.string, prompt.contains(where: { !$0.isWhitespace }) else {
            throw CommandError(.badValue, "`prompt` is the question, as text.", field: "prompt")
        }
        let stage = try eyes(fields["src"])
        let frame = try frame(fields["frame"], of: stage)
        let heard = environment.heard.text(
            last: MediaTime(milliseconds: try speechSeconds(fields["speech_s"]) * 1_000), before: graph.clock.now)
        let question = Question(
            id: environment.nextQuestion(), prompt: prompt, heard: heard, frame: frame)
        guard await graph.control(.ask(question), of: stage) else {
            throw CommandError(.notAvailable, "Stage '\(stage)', which answers, has ended. Start the daemon anew.")
        }
        return ["ask": .int(question.id)]
    }

    /// The stage that looks at pictures for what answers.
    private func eyes(_ source: JSONValue?) throws(CommandError) -> StageID {
        let stages = graph.topology.stages.filter { $0.kind.output == SeenFrame.port }.map(\.id)
        guard let first = stages.first else {
            throw CommandError(
                .notAvailable,
                "Pipeline '\(graph.topology.name)' has nothing that answers. "
                    + "Add embed_image and decode behind a camera, as Pipelines/narrate.yaml does.")
        }
        guard let source else { return first }
        guard let name = source.string,
            let stage = stages.first(where: { graph.topology.origins(of: $0).contains { $0.name == name } })
        else {
            let names = stages.flatMap { graph.topology.origins(of: $0) }.map { "'\($0)'" }.joined(separator: ", ")
            throw CommandError(.badValue, "`src` is a source of pictures that are asked about: \(names).", field: "src")
        }
        return stage
    }

    private func frame(_ value: JSONValue?, of stage: StageID) throws(CommandError) -> Question.Frame {
        switch value {
        case nil, .some("now"): return .newest
        case .some("none"): return .none
        case let value?:
            guard let number = value.int else {
                throw CommandError(.badValue, "`frame` is now, none or the number of a scene.", field: "frame")
            }
            guard environment.seen.scene(SceneID(number), of: stage) != nil else {
                let kept = environment.seen.scenes(of: stage)
                throw CommandError(
                    .notAvailable,
                    "The picture of scene \(number) is not kept. "
                        + (kept.isEmpty
                            ? "None is yet." : "Ask about one of: \(kept.map(String.init).joined(separator: ", "))."),
                    field: "frame")
            }
            return .scene(number)
        }
    }

    private func speechSeconds(_ value: JSONValue?) throws(CommandError) -> Int {
        guard let value else { return Self.speechSeconds }
        let most = RecentSpeech.memory.milliseconds / 1_000
        guard let seconds = value.int, (0...most).contains(seconds) else {
            throw CommandError(
                .badValue, "`speech_s` is a whole number of seconds from 0 to \(most).", field: "speech_s")
        }
        return seconds
    }
}
