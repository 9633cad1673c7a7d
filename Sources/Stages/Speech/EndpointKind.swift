import Graph
import Media
import Silero
import Speech

extension StageKind {
    /// `endpoint { vad, silence_ms, preroll_ms, min_speech_ms, max_s, threshold }`
    static func endpoint(_ environment: StageEnvironment) -> StageKind {
        let standard = EndpointerSettings()
        return StageKind(
            name: "endpoint", summary: "Cuts sound into utterances.", inputs: [SpeechBlock.port],
            output: UtterancePiece.port,
            settings: [
                .optional(
                    "vad", .modelOrNone, default: .model(ModelReference(name: "silero-vad", path: "silero-vad")),
                    "the model that tells speech from the rest; none takes everything for speech"),
                .optional(
                    "silence_ms", .milliseconds(100...10_000), default: .duration(standard.silence), live: true,
                    "silence that ends an utterance"),
                .optional(
                    "preroll_ms", .milliseconds(0...2_000), default: .duration(standard.preroll), live: true,
                    "sound kept from before the onset"),
                .optional(
                    "min_speech_ms", .milliseconds(0...5_000), default: .duration(standard.minSpeech), live: true,
                    "shorter speech is a noise"),
                .optional(
                    "max_s", .seconds(2...29), default: .duration(standard.max), live: true,
                    "length at which an utterance is cut"),
                .optional(
                    "threshold", .number(0.05...0.95), default: .number(Double(standard.threshold)), live: true,
                    "probability from which sound is speech")
            ],
            notes: { $0["vad"]?.model.map(environment.notes) ?? [] },
            make: { settings, _ in
                let vad = try settings["vad"]?.model.map { SileroVAD(weights: try environment.silero($0)) }
                let endpointing = EndpointWorker.endpointing(settings)
                return .worker(
                    EndpointWorker(vad: vad, settings: endpointing, nextUtterance: environment.nextUtterance))
            })
    }
}

/// Voice activity and `UtteranceSegmenter` as a stage.
final class EndpointWorker: Worker {
    let urgency = Urgency.signal
    private let vad: SileroVAD?
    private var settings: EndpointerSettings
    private let nextUtterance: @Sendable () -> UtteranceID
    private var segmenter: UtteranceSegmenter?
    private var ready: [UtterancePiece] = []

    /// - Parameter vad: nil takes everything for speech.
    init(vad: SileroVAD?, settings: EndpointerSettings, nextUtterance: @escaping @Sendable () -> UtteranceID) {
        self.vad = vad
        self.settings = settings
        self.nextUtterance = nextUtterance
    }

    static func endpointing(_ settings: StageSettings) -> EndpointerSettings {
        EndpointerSettings(
            silence: settings.duration("silence_ms"), preroll: settings.duration("preroll_ms"),
            minSpeech: settings.duration("min_speech_ms"), max: settings.duration("max_s"),
            // The last second of sound is never committed: WhisperOptions.unstablePositions.
            cutReach: MediaTime(milliseconds: 1_000), threshold: Float(settings.number("threshold")),
            pause: MediaTime(milliseconds: 300))
    }

    func adjust(_ settings: StageSettings) throws {
        self.settings = Self.endpointing(settings)
        segmenter?.adjust(to: self.settings)
    }

    func offer(_ packet: Packet) throws {
        let block = try packet.value(as: SpeechBlock.self).block
        let probability = probability(of:)
        var current =
            segmenter ?? UtteranceSegmenter(settings: settings, origin: block.time, nextUtterance: nextUtterance)
        if block.lostBefore > .zero {
            ready += current.advance(silence: max(.zero, block.time - current.time), probability: probability)
        }
        ready += current.step(block.samples, probability: probability)
        segmenter = current
    }

    private func probability(of chunk: Span<Float>) -> Float { vad?.probability(of: chunk) ?? 1 }

    func finish() throws {
        guard var current = segmenter else { return }
        segmenter = nil
        ready += current.finish(probability: probability(of:))
    }

    func control(_ control: StageControl) throws {
        guard var current = segmenter else { return }
        switch control {
        case .flush: ready += current.end(.flush)
        case .mute(true): ready += current.end(.mute)
        case .forget: ready = current.end(.mute).suffix(1)  // only that it has ended
        case .mute(false), .describe, .ask: return
        }
        segmenter = current
    }

    func work(_ output: Output) -> Progress {
        for piece in ready { output.send(piece) }
        ready = []
        return .idle
    }
}
