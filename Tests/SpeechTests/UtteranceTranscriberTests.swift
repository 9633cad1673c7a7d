import Media
import Speech
import TestSupport
import Testing

/// Hears one word in every 100 ms of sound, after three quanta.
private final class CountingRecogniser: Recogniser {
    let modelName = "counter"
    let defaultLanguage = "en"
    let maxSamples = 480_000
    var samples = 0
    var quanta = 0
    var begun: [(samples: Int, isFinal: Bool)] = []
    var verdict = Hypothesis.Verdict.speech

    func reset() { samples = 0 }
    func append(_ sound: [Float]) { samples += sound.count }
    func begin(_ draft: Draft, samples: Int, isFinal: Bool) {
        self.samples = samples
        begun.append((samples, isFinal))
        quanta = 3
    }
    func abandon() { quanta = 0 }
    func advance() throws -> Hypothesis? {
        quanta -= 1
        guard quanta == 0 else { return nil }
        let text = (0..<samples / 1_600).map { "w\($0)" }.joined(separator: " ")
        return hypothesis(text, stable: max(0, samples / 1_600 - 2), verdict: text.isEmpty ? .silence : verdict)
    }
}

struct UtteranceTranscriberTests {
    private func make(
        _ recogniser: CountingRecogniser, partialMilliseconds: Int? = 500,
        lag: @escaping (MediaTime) -> MediaTime = { _ in .zero }
    ) -> UtteranceTranscriber<CountingRecogniser> {
        UtteranceTranscriber(
            recogniser: recogniser,
            configuration: .init(
                partialInterval: partialMilliseconds.map { MediaTime(milliseconds: $0) }, rule: .model),
            clock: .init(lag: lag, wall: { .zero }))
    }

    private func run(_ transcriber: UtteranceTranscriber<CountingRecogniser>, _ pieces: [UtterancePiece.Content]) throws
        -> [TranscriptUpdate]
    {
        var updates: [TranscriptUpdate] = []
        for content in pieces {
            updates += transcriber.take(UtterancePiece(UtteranceID(7), content))
            var more = true
            while more {
                let done = try transcriber.work()
                updates += done.updates
                more = done.more
            }
        }
        return updates
    }

    private func utterance(seconds: Double, chunk: Int, end: MediaTime? = nil) -> [UtterancePiece.Content] {
        let count = Int(seconds * 16_000)
        let sound = [Float](repeating: 0.1, count: count)
        let chunks = stride(from: 0, to: count, by: chunk).map {
            UtterancePiece.Content.samples(Array(sound[$0..<min($0 + chunk, count)]))
        }
        let start = MediaTime(milliseconds: 1_000)
        let stop = end ?? start + MediaTime(samples: count, rateHz: 16_000)
        return [.began(start: start, onset: MediaTime(milliseconds: 1_300))] + chunks
            + [.ended(.endpoint, end: stop, decidedAt: stop)]
    }

    private func describe(_ update: TranscriptUpdate) -> String {
        switch update {
        case .started(_, let at): "started \(at)"
        case .stopped(_, let at, let cause): "stopped \(at) \(cause)"
        case .partial(let p): "partial \(p.revision) [\(p.committed)|\(p.tentative)] \(p.start) \(p.end)"
        case .final(let f): "final \(f.text) \(f.start) \(f.end)"
        case .discarded(_, let reason, let committed): "discarded \(reason) \(committed ?? "-")"
        }
    }

    @Test func tellsAnUtteranceFromStartToFinal() throws {
        let updates = try run(make(CountingRecogniser()), utterance(seconds: 1.2, chunk: 512)).map(describe)
        #expect(
            updates == [
                "started 1300 ms",
                "partial 1 [w0 w1 w2| w3 w4] 1000 ms 1500 ms",
                "partial 2 [w0 w1 w2 w3 w4 w5 w6 w7| w8 w9] 1000 ms 2000 ms",
                "stopped 2200 ms endpoint",
                "final w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 1000 ms 2200 ms"
            ])
    }

    @Test(arguments: [1_600, 160, 777, 8_000, 50_000]) func anyChunkingTellsTheSame(chunk: Int) throws {
        let whole = try run(make(CountingRecogniser()), utterance(seconds: 2.6, chunk: 100_000)).map(describe)
        #expect(try run(make(CountingRecogniser()), utterance(seconds: 2.6, chunk: chunk)).map(describe) == whole)
    }

    @Test func skipsPartialsWhileBehindAndNeverTheFinal() throws {
        let recogniser = CountingRecogniser()
        let transcriber = make(
            recogniser, lag: { $0 < MediaTime(milliseconds: 2_600) ? MediaTime(milliseconds: 2_000) : .zero })
        let updates = try run(transcriber, utterance(seconds: 2.4, chunk: 512)).map(describe)
        #expect(recogniser.begun.map(\.samples) == [32_000, 38_400])
        #expect(updates.filter { $0.hasPrefix("partial") }.count == 1)
        #expect(updates.last?.hasPrefix("final") == true)
    }

    @Test func withoutAnIntervalThereAreFinalsOnly() throws {
        let updates = try run(make(CountingRecogniser(), partialMilliseconds: nil), utterance(seconds: 2, chunk: 512))
        #expect(updates.count == 3)
    }

    @Test func soundAfterTheEndIsForgotten() throws {
        let recogniser = CountingRecogniser()
        _ = try run(make(recogniser), utterance(seconds: 2, chunk: 512, end: MediaTime(milliseconds: 2_500)))
        #expect(recogniser.begun.last?.samples == 24_000)
    }

    @Test func silenceIsDiscarded() throws {
        let updates = try run(make(CountingRecogniser()), utterance(seconds: 0.05, chunk: 512)).map(describe)
        #expect(updates.last == "discarded silence -")
    }

    @Test func whatWasCommittedStaysInTheFinalEvenIfTheLastHypothesisLoops() throws {
        let recogniser = CountingRecogniser()
        let transcriber = make(recogniser)
        let pieces = utterance(seconds: 1.2, chunk: 512)
        _ = try run(transcriber, Array(pieces.dropLast()))
        recogniser.verdict = .loop
        let updates = try run(transcriber, [pieces[pieces.count - 1]]).map(describe)
        #expect(updates.last?.hasPrefix("final w0 w1 w2 w3 w4 w5 w6 w7") == true)
    }

    @Test func shuttingDownGivesTheOpenUtteranceUpWithWhatWasShown() throws {
        let transcriber = make(CountingRecogniser())
        _ = try run(transcriber, Array(utterance(seconds: 1.2, chunk: 512).dropLast()))
        #expect(transcriber.shutDown().map(describe) == ["discarded shutdown w0 w1 w2 w3 w4 w5 w6 w7"])
        #expect(transcriber.shutDown().isEmpty)
    }
}
