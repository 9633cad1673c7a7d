import Capture
package import Events
import Graph
package import Media
package import Stages
import Synchronization

/// One recording through the live path, as the daemon would hear it: the same stages, events collected.
package struct LiveFileRun {
    package struct Options: Sendable {
        package var model: String
        package var language: String?
        /// Into this language.
        package var translation: String?
        /// At the pace of a microphone.
        package var isPaced = false
        /// Of a Gemma: q4, q8 or f32.
        package var weights: String?
        /// Without it everything is one utterance after the other.
        package var usesVAD = true

        package init(model: String) { self.model = model }

        fileprivate var reference: ModelReference { ModelReference(name: model, weights: weights, path: model) }
    }

    /// What the events add up to.
    package struct Summary: Sendable {
        package var finals: [FinalTranscript] = []
        package var partials = 0
        /// Times a shown committed text was not a prefix of a later one.
        package var retractions = 0
        /// Medians over utterances; nil if there was none.
        package var firstPartialMs: Int?
        package var finalLatencyMs: Int?
        /// Stream time that the source reached: the length of the recording.
        package var audio = MediaTime.zero

        package var text: String { finals.map(\.text).joined(separator: " ") }
    }

    private let collector = EventCollector()
    private let environment: StageEnvironment

    /// `makeEnvironment` gets the sink that its stages must tell.
    package init(_ makeEnvironment: (any EventSink) -> StageEnvironment) {
        environment = makeEnvironment(collector)
    }

    /// - Throws: `GraphError`, whose underlying error is that of the stage.
    package func transcribe(_ path: String, _ options: Options) async throws -> Summary {
        collector.reset()
        let topology = try Topology.parse(
            pipeline(path, options), file: "transcribe --stream", registry: .standard(environment))
        let graph = try await RunningGraph(topology)
        graph.start()
        try await graph.run()
        var summary = collector.summary
        summary.audio = graph.clock.now("file")
        if options.isPaced {
            // The clock went on after the last sample.
            let file = try AudioFile(path: path)
            summary.audio = min(summary.audio, MediaTime(samples: file.claimedFrames, rateHz: file.rateHz))
        }
        return summary
    }

    /// Finds and loads the models, so that no file pays for it.
    package func load(_ options: Options) throws {
        try environment.loadSpeech(options.reference)
        if options.usesVAD { _ = try environment.silero(ModelReference(name: "silero-vad", path: "silero-vad")) }
    }

    /// JSON strings are YAML strings, whatever is in a name.
    private func pipeline(_ path: String, _ options: Options) throws -> String {
        func quoted(_ text: String) -> String { JSONValue.string(text).jsonText }
        let language = options.language.map { ", language: \(quoted($0))" } ?? ""
        let isGemma = try environment.isGemma(options.reference)
        let weights = options.weights.map { ", weights: \(quoted($0))" } ?? ""
        let task = "task: \(options.translation == nil ? "transcribe" : "translate")\(language)"
        let target = options.translation.map { ", to: \(quoted($0))" } ?? ""
        let transcript =
            isGemma
            ? """
            heard:      { kind: embed_audio, from: utterances, model: speaker }
              transcript: { kind: decode, from: heard, model: speaker, \(task)\(target) }
            """
            : "transcript: { kind: transcribe, from: utterances, model: speaker, \(task) }"
        return """
            name: transcribe
            models:
              speaker: { model: \(quoted(options.model))\(weights) }
            stages:
              file:       { kind: audio_file, path: \(quoted(path)), pace: \(options.isPaced ? "realtime" : "fast") }
              speech:     { kind: resample, from: file }
              utterances: { kind: endpoint, from: speech, vad: \(options.usesVAD ? "silero-vad" : "none") }
              \(transcript)
              events:     { kind: events, from: transcript }
            """
    }
}

/// Adds up the events of one run.
private final class EventCollector: EventSink {
    fileprivate struct State {
        var summary = LiveFileRun.Summary()
        var onsetMs: [Int: Int] = [:]
        var committed: [Int: String] = [:]
        var firstPartials: [Int: Int] = [:]
        var latencies: [Int] = []
    }

    private let state = Mutex(State())

    func reset() { state.withLock { $0 = State() } }

    func emit(_ body: EventBody, src: String) {
        state.withLock { state in
            switch body {
            case .speechStarted(let utt, let atMs):
                state.onsetMs[utt] = atMs
            case .transcriptPartial(let partial):
                state.summary.partials += 1
                state.show(partial.committed, of: partial.utt)
                if state.firstPartials[partial.utt] == nil, let onset = state.onsetMs[partial.utt] {
                    state.firstPartials[partial.utt] = partial.endMs + partial.lagMs - onset
                }
            case .transcriptFinal(let final):
                state.show(final.text, of: final.utt)
                state.summary.finals.append(final)
                state.latencies.append(final.latencyMs)
            default: break
            }
        }
    }

    var summary: LiveFileRun.Summary {
        state.withLock { state in
            var summary = state.summary
            summary.firstPartialMs = median(Array(state.firstPartials.values))
            summary.finalLatencyMs = median(state.latencies)
            return summary
        }
    }

    private func median(_ values: [Int]) -> Int? { values.isEmpty ? nil : values.sorted()[values.count / 2] }
}

extension EventCollector.State {
    mutating func show(_ text: String, of utt: Int) {
        // Bytes, not characters: a mark may join the character before it.
        if let before = committed[utt], !text.utf8.starts(with: before.utf8) { summary.retractions += 1 }
        committed[utt] = text
    }
}
