import Graph
import Media
import Speech
import Whisper

extension StageKind {
    /// `transcribe { model, partial_ms, language, task }`
    static func transcribe(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "transcribe", summary: "Whisper: utterances to text.", inputs: [UtterancePiece.port],
            output: Speech.TranscriptUpdate.port,
            settings: [
                .required("model", .model, "a Whisper model, such as whisper-tiny.en"),
                .optional(
                    "partial_ms", .milliseconds(0...60_000), default: .duration(MediaTime(milliseconds: 500)),
                    live: true, "stream time between partials; 0: finals only"),
                .optional("language", .string, "two-letter code; detected if not given"),
                .optional(
                    "task", .choice(["transcribe", "translate"]), default: .string("transcribe"),
                    "the text's language: the speaker's, or English")
            ],
            notes: { environment.notes(on: $0.model("model")) },
            make: { settings, context in
                let model = try environment.whisper(settings.model("model"))
                var options = WhisperOptions()
                options.language = settings["language"]?.string
                options.task = settings.string("task") == "translate" ? .translate : .transcribe
                let recogniser = try WhisperRecogniser(model: model, options: options, pool: environment.pool)
                let origin = context.origins.first ?? context.stage
                let transcriber = UtteranceTranscriber(
                    recogniser: recogniser,
                    configuration: .init(partialInterval: settings.partialInterval),
                    clock: .init(
                        lag: { context.clock.lag(of: origin, behind: $0) }, wall: { MonotonicTime.now }))
                return .worker(TranscribeWorker(transcriber, environment: environment, context: context))
            })
    }
}

/// An `UtteranceTranscriber` as a stage.
final class TranscribeWorker<Model: Recogniser>: Worker where Model.Sound: TravellingSound {
    let urgency = Urgency.speech
    private let transcriber: UtteranceTranscriber<Model>
    private let environment: StageEnvironment
    private let source: StageID
    private let clock: StreamClock
    private var interval: MediaTime?
    private var ready: [Speech.TranscriptUpdate] = []

    init(_ transcriber: UtteranceTranscriber<Model>, environment: StageEnvironment, context: StageContext) {
        (self.transcriber, self.environment) = (transcriber, environment)
        (source, clock) = (context.origins.first ?? context.stage, context.clock)
        interval = transcriber.configuration.partialInterval
        if interval != nil { environment.load.offer(.partials) }
    }

    func offer(_ packet: Packet) throws {
        let piece = try packet.value(as: SpokenPiece<Model.Sound>.self)
        environment.load.note(lag: transcriber.lag, at: clock.now(source), of: source.name)
        if case .began = piece.content {
            let factor = environment.load.isTaken(.partials) ? LoadGovernor.factor : 1
            transcriber.configuration.partialInterval = interval.map {
                MediaTime(nanoseconds: $0.nanoseconds * Int64(factor))
            }
        }
        ready += transcriber.take(piece)
    }

    func work(_ output: Output) throws -> Progress {
        let (updates, more) = try transcriber.work()
        for update in ready + updates {
            if case .final(let final) = update { environment.heard.add(final) }
            output.send(update)
        }
        ready = []
        return more ? .more : .idle
    }

    func adjust(_ settings: StageSettings) throws {
        interval = settings.partialInterval
        if interval != nil { environment.load.offer(.partials) }
        transcriber.configuration.partialInterval = interval
    }

    func control(_ control: StageControl) throws {
        guard control == .forget else { return }
        ready += transcriber.forget()
        environment.heard.forget()
    }

    /// The inputs have ended: an utterance that nobody ended is given up.
    func finish() throws { ready += transcriber.shutDown() }
}

extension StageSettings {
    /// `partial_ms`: stream time between partials; nil: finals only.
    var partialInterval: MediaTime? {
        let interval = duration("partial_ms")
        return interval > .zero ? interval : nil
    }
}
