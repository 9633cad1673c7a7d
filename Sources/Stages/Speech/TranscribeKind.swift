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
                    configuration: .init(partialInterval: TranscribeWorker.partialInterval(settings)),
                    clock: .init(
                        lag: { context.clock.lag(of: origin, behind: $0) }, wall: { MonotonicTime.now }))
                return .worker(TranscribeWorker(transcriber))
            })
    }
}

/// An `UtteranceTranscriber` as a stage.
final class TranscribeWorker: Worker {
    let urgency = Urgency.speech
    private let transcriber: UtteranceTranscriber
    private var ready: [Speech.TranscriptUpdate] = []

    init(_ transcriber: UtteranceTranscriber) { self.transcriber = transcriber }

    func offer(_ packet: Packet) throws { ready += transcriber.take(try packet.value(as: UtterancePiece.self)) }

    func work(_ output: Output) throws -> Progress {
        let (updates, more) = try transcriber.work()
        for update in ready + updates { output.send(update) }
        ready = []
        return more ? .more : .idle
    }

    static func partialInterval(_ settings: StageSettings) -> MediaTime? {
        let interval = settings.duration("partial_ms")
        return interval > .zero ? interval : nil
    }

    func adjust(_ settings: StageSettings) throws {
        transcriber.adjust(partialInterval: Self.partialInterval(settings))
    }

    func control(_ control: StageControl) throws {
        if control == .forget { ready += transcriber.forget() }
    }

    /// The inputs have ended: an utterance that nobody ended is given up.
    func finish() throws { ready += transcriber.shutDown() }
}
