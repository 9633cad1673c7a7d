import Gemma
import Graph
import Kernels
import Media
import Speech

extension StageKind {
    /// `embed_audio { model }`
    static func embedAudio(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "embed_audio", summary: "Gemma: utterances to soft tokens, as they are heard.",
            inputs: [UtterancePiece.port], output: SpokenPiece<HeardSound>.port,
            settings: [.required("model", .model, "a Gemma 3n model")],
            notes: { environment.notes(on: $0.model("model")) },
            make: { settings, _ in
                let gemma = try environment.gemma(settings.model("model"))
                return .worker(
                    EmbedAudioWorker(GemmaAudioEncoder(weights: try gemma.audio(), pool: environment.pool)))
            })
    }
}

/// Gemma's audio encoder as a stage: a quantum is one of its blocks.
final class EmbedAudioWorker: Worker {
    let urgency = Urgency.speech
    private let stream: GemmaAudioStream
    private let timing: GemmaAudioTiming
    /// The piece at work.
    private var piece: UtterancePiece?
    private var start = MediaTime.zero
    /// Samples of the utterance, and those of them whose tokens were sent.
    private var taken = 0
    private var sent = 0
    /// What comes of the utterance is not listened to any more.
    private var isForgotten = false

    init(_ encoder: GemmaAudioEncoder) {
        stream = encoder.makeStream()
        timing = encoder.weights.timing
    }

    func offer(_ packet: Packet) throws {
        let piece = try packet.value(as: UtterancePiece.self)
        if case .began = piece.content { isForgotten = false }
        if isForgotten { return }
        self.piece = piece
        switch piece.content {
        case .began(let start, _):
            stream.reset()
            (self.start, taken, sent) = (start, 0, 0)
        case .samples(let samples):
            stream.append(samples.span)
            taken += samples.count
        case .paused: break
        case .ended(let cause, let end, _):
            // Cut in the midst of speech: silence behind it lets the last sound be heard. An endpoint has silence enough.
            let isCut = cause != .endpoint && end >= start + MediaTime(samples: taken, rateHz: 16_000)
            if isCut { stream.finish(paddingSamples: timing.padding(behind: taken)) }
        }
    }

    func control(_ control: StageControl) throws {
        guard control == .forget else { return }
        stream.reset()
        (piece, taken, sent, isForgotten) = (nil, 0, 0, true)
    }

    func work(_ output: Output) throws -> Progress {
        if stream.advance() { return .more }
        guard let piece else { return .idle }
        self.piece = nil
        sendTokens(of: piece.utterance, output)
        switch piece.content {
        case .samples: break
        case .began(let start, let onset):
            output.send(SpokenPiece<HeardSound>(piece.utterance, .began(start: start, onset: onset)))
        case .paused(let end): output.send(SpokenPiece<HeardSound>(piece.utterance, .paused(end: end)))
        case .ended(let cause, let end, let decidedAt):
            output.send(SpokenPiece<HeardSound>(piece.utterance, .ended(cause, end: end, decidedAt: decidedAt)))
        }
        return .idle
    }

    private func sendTokens(of utterance: UtteranceID, _ output: Output) {
        let first = stream.tokenCount
        let rows = stream.takeTokens()
        guard taken > sent || rows != nil else { return }
        let count = rows?.rows ?? 0
        let tokens = (0..<count).map { row in
            HeardSound.Token(
                rows: rows!, row: row, ready: min(timing.ready(token: first - count + row), taken) - sent)
        }
        output.send(
            SpokenPiece<HeardSound>(
                utterance, .samples(HeardSound(sampleCount: taken - sent, tokens: tokens))))
        sent = taken
    }
}
