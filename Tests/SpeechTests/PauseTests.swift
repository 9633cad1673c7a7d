import Media
import Speech
import Testing

/// Hears one word in every 100 ms of sound, and can leave out the last of it.
private final class PatientRecogniser: Recogniser {
    let modelName: String
    let defaultLanguage = "en"
    let maxSamples = 480_000
    var samples = 0
    var asked = 0
    var begun: [(samples: Int, isFinal: Bool)] = []
    var anchors = false

    init(_ name: String = "patient") { modelName = name }

    func reset() { samples = 0 }
    func append(_ sound: [Float]) { samples += sound.count }
    func begin(_ draft: Draft, samples: Int, isFinal: Bool) {
        begun.append((samples, isFinal))
        asked = samples
    }
    func abandon() {}
    func advance() throws -> Hypothesis? {
        let words = (0..<asked / 1_600).map {
            Word(text: " w\($0)", tokens: [$0], start: .zero, end: .zero, confidence: 1)
        }
        return Hypothesis(
            words: words, verdict: words.isEmpty ? .silence : .speech, stableWords: nil, language: "en",
            meanLogProbability: 0)
    }
    func anchor(_ hypothesis: Hypothesis, samples: Int) -> Bool { anchors }
}

struct PauseTests {
    private let start = MediaTime(milliseconds: 1_000)

    private func make(_ recogniser: PatientRecogniser) -> UtteranceTranscriber<PatientRecogniser> {
        UtteranceTranscriber(
            recogniser: recogniser,
            configuration: .init(
                partialInterval: MediaTime(milliseconds: 500), rule: .agreement(count: 2), anticipatesFinal: true),
            clock: .init(lag: { _ in .zero }, wall: { .zero }))
    }

    private func run(
        _ transcriber: UtteranceTranscriber<PatientRecogniser>, _ pieces: [UtterancePiece.Content]
    ) throws -> [TranscriptUpdate] {
        var updates: [TranscriptUpdate] = []
        for content in pieces {
            updates += transcriber.take(UtterancePiece(UtteranceID(1), content))
            var more = true
            while more {
                let done = try transcriber.work()
                updates += done.updates
                more = done.more
            }
        }
        return updates
    }

    private func sound(_ milliseconds: Int) -> UtterancePiece.Content {
        .samples([Float](repeating: 0.1, count: milliseconds * 16))
    }

    private func at(_ milliseconds: Int) -> MediaTime { start + MediaTime(milliseconds: milliseconds) }

    @Test func theFinalIsReadyBeforeTheEndpoint() throws {
        let recogniser = PatientRecogniser()
        let transcriber = make(recogniser)
        _ = try run(
            transcriber, [.began(start: start, onset: start), sound(900), .paused(end: at(800)), sound(200)])
        let before = recogniser.begun.count
        #expect(recogniser.begun.contains { $0.samples == 12_800 && $0.isFinal })
        let end = try run(transcriber, [.ended(.endpoint, end: at(800), decidedAt: at(1_100))])
        #expect(recogniser.begun.count == before)
        guard case .final(let final)? = end.last else { Issue.record("\(end)"); return }
        #expect(final.text == "w0 w1 w2 w3 w4 w5 w6 w7")
    }

    @Test func whatWasPreparedForAnotherEndIsNotUsed() throws {
        let recogniser = PatientRecogniser()
        let transcriber = make(recogniser)
        _ = try run(
            transcriber,
            [.began(start: start, onset: start), sound(900), .paused(end: at(800)), sound(600)])
        let end = try run(transcriber, [.ended(.endpoint, end: at(1_300), decidedAt: at(1_600))])
        guard case .final(let final)? = end.last else { Issue.record("\(end)"); return }
        #expect(final.text.hasSuffix("w12"))
    }

    @Test func wordsBeforeAnAnchorAreCommittedAtOnce() throws {
        let recogniser = PatientRecogniser()
        recogniser.anchors = true
        let updates = try run(
            make(recogniser), [.began(start: start, onset: start), sound(450), .paused(end: at(400))])
        guard case .partial(let partial)? = updates.last else { Issue.record("\(updates)"); return }
        #expect(partial.committed == "w0 w1 w2 w3" && partial.tentative.isEmpty)
    }

    @Test func aPauseIsToldOnceInEachSilence() {
        var settings = EndpointerSettings()
        settings.pause = MediaTime(milliseconds: 300)
        var endpointer = Endpointer(settings: settings, rateHz: 16_000)
        var actions: [Endpointer.Action] = []
        // 1 s of speech, 448 ms of silence, speech, and silence until it ends.
        for chunk in 0..<100 {
            let isSpeech = chunk < 31 || (45..<60).contains(chunk)
            actions += endpointer.advance(to: (chunk + 1) * 512, probability: isSpeech ? 0.9 : 0.05)
        }
        let pauses = actions.compactMap { if case .paused(let end) = $0 { end } else { nil } }
        let ends = actions.compactMap { if case .ended(_, let end, _) = $0 { end } else { nil } }
        #expect(pauses == [31 * 512 + 3_200, 60 * 512 + 3_200])
        #expect(ends == [60 * 512 + 3_200])
    }

    @Test func anElasticRecogniserChoosesWhenAnUtteranceBegins() throws {
        let (usual, smaller) = (PatientRecogniser("usual"), PatientRecogniser("smaller"))
        var isBusy = false
        let elastic = ElasticRecogniser(usual: usual, smaller: smaller) { isBusy }
        elastic.reset()
        elastic.append([0, 0])
        isBusy = true
        elastic.append([0])
        #expect(usual.samples == 3 && smaller.samples == 0 && elastic.modelName == "usual")
        elastic.reset()
        elastic.append([0, 0])
        #expect(usual.samples == 0 && smaller.samples == 2 && elastic.modelName == "smaller")
        isBusy = false
        elastic.reset()
        #expect(elastic.modelName == "usual" && smaller.samples == 0)
    }
}
