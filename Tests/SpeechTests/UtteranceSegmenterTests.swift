import Media
import Speech
import Synchronization
import TestSupport
import Testing

/// Sound whose samples are their own positions, so that every piece shows where it came from; exact below 2^24.
struct UtteranceSegmenterTests {
    /// An utterance put together again from its pieces.
    private struct Utterance: Equatable {
        var id: Int
        var start: MediaTime
        var onset: MediaTime
        var samples: [Float] = []
        var cause: EndCause?
        var end = MediaTime.zero
        var decidedAt = MediaTime.zero

        /// What lies between `start` and `end`; a piece may have gone further.
        var heard: ArraySlice<Float> { samples.prefix((end - start).samples(rateHz: 16_000)) }
    }

    private func utterances(_ pieces: [UtterancePiece]) throws -> [Utterance] {
        var utterances: [Utterance] = []
        for piece in pieces {
            switch piece.content {
            case .began(let start, let onset):
                #expect(utterances.last == nil || utterances.last?.cause != nil)
                utterances.append(Utterance(id: piece.utterance.number, start: start, onset: onset))
            case .samples(let samples):
                utterances[utterances.count - 1].samples += samples
            case .paused: break
            case .ended(let cause, let end, let decidedAt):
                utterances[utterances.count - 1].cause = cause
                utterances[utterances.count - 1].end = end
                utterances[utterances.count - 1].decidedAt = decidedAt
            }
            #expect(piece.utterance.number == utterances.last?.id)
        }
        return utterances
    }

    private func segmenter(_ settings: EndpointerSettings = EndpointerSettings(), origin: MediaTime = .zero)
        -> UtteranceSegmenter
    {
        let ids = Identifiers()
        return UtteranceSegmenter(settings: settings, origin: origin) { ids.next() }
    }

    private final class Identifiers: Sendable {
        private let last = Atomic(0)
        func next() -> UtteranceID { UtteranceID(last.add(1, ordering: .relaxed).newValue) }
    }

    /// Seeded probabilities by position, slow and wavering.
    private func script(seed: UInt64, chunks: Int) -> [Float] {
        var random = SplitMix64(seed: seed)
        var level: Float = 0
        return (0..<chunks).map { _ in
            if Float.random(in: 0..<1, using: &random) < 0.06 { level = Float.random(in: 0..<1, using: &random) }
            return min(1, max(0, level + Float.random(in: -0.2..<0.2, using: &random)))
        }
    }

    private func ramp(_ count: Int) -> [Float] { (0..<count).map { Float($0) } }

    private func run(_ samples: [Float], chunk: Int?, script: [Float], settings: EndpointerSettings) -> [UtterancePiece]
    {
        var segmenter = segmenter(settings)
        var pieces: [UtterancePiece] = []
        let size = chunk ?? samples.count
        let probability = { (chunk: Span<Float>) in script[Int(chunk[0]) / 512] }
        for start in stride(from: 0, to: samples.count, by: size) {
            pieces += segmenter.step(Array(samples[start..<min(start + size, samples.count)]), probability: probability)
        }
        return pieces + segmenter.finish(probability: probability)
    }

    private let shortSettings = EndpointerSettings(
        silence: MediaTime(milliseconds: 300), preroll: MediaTime(milliseconds: 200),
        max: MediaTime(milliseconds: 3_000))

    @Test(arguments: 0..<12)
    func utterancesReproduceTheStreamWithoutOverlapOrLossAtJoins(seed: Int) throws {
        let samples = ramp(400_123)
        let script = script(seed: UInt64(seed), chunks: 800)
        let found = try utterances(run(samples, chunk: nil, script: script, settings: shortSettings))
        #expect(found.count > 3)
        var lastEnd = 0
        for (utterance, following) in zip(found, found.dropFirst().map(Optional.init) + [nil]) {
            let start = utterance.start.samples(rateHz: 16_000)
            let end = utterance.end.samples(rateHz: 16_000)
            #expect(start >= lastEnd && end > start && utterance.start <= utterance.onset)
            #expect(utterance.heard == samples[start..<end])
            #expect(utterance.decidedAt >= utterance.end)
            // What no utterance holds, between two of them, is no run of speech.
            let gap = script[(lastEnd + 511) / 512..<max((lastEnd + 511) / 512, start / 512)]
            #expect(gap.split { $0 < 0.5 }.allSatisfy { $0.count < 4 })
            if utterance.cause == .max, let following, following.start == utterance.end {
                #expect(following.samples.first == Float(end))
            }
            lastEnd = end
        }
        #expect(found.map(\.id) == Array(1...found.count))
        #expect(found.contains { $0.cause == .max })
    }

    @Test(arguments: [1, 2, 3, 160, 997, 512, 5_000])
    func piecesEqualWhole(chunk: Int) throws {
        let samples = ramp(100_001)
        let script = script(seed: 3, chunks: 196)
        let whole = run(samples, chunk: nil, script: script, settings: shortSettings)
        let pieces = run(samples, chunk: chunk, script: script, settings: shortSettings)
        #expect(pieces.map { "\($0)" } == whole.map { "\($0)" })
    }

    @Test func theLastChunkIsPaddedForTheJudgeButNotForTheUtterance() throws {
        var segmenter = segmenter()
        var judged: [Int] = []
        let probability = { (chunk: Span<Float>) -> Float in
            judged.append(chunk.count)
            return 0.9
        }
        let pieces = segmenter.step(ramp(5_000), probability: probability) + segmenter.finish(probability: probability)
        let found = try utterances(pieces)
        #expect(found.count == 1 && found[0].heard == ramp(5_000)[...])
        #expect(found[0].cause == .end && found[0].end == MediaTime(samples: 5_000, rateHz: 16_000))
        #expect(judged == Array(repeating: 512, count: 10))
    }

    @Test func timesCountFromTheOrigin() throws {
        var segmenter = segmenter(origin: MediaTime(milliseconds: 10_000))
        let pieces = segmenter.step(ramp(16_000)) { $0[0] < 4_096 ? 0.1 : 0.9 } + segmenter.end(.flush)
        let found = try utterances(pieces)
        #expect(found[0].onset == MediaTime(milliseconds: 10_256))
        #expect(found[0].end == MediaTime(milliseconds: 10_992))
        #expect(segmenter.time == MediaTime(milliseconds: 11_000))
    }

    @Test func aShortLossIsSilenceInsideTheUtterance() throws {
        var segmenter = segmenter()
        let probability = { (_: Span<Float>) -> Float in 0.9 }
        var pieces = segmenter.step(ramp(8_000), probability: probability)
        pieces += segmenter.advance(silence: MediaTime(milliseconds: 20), probability: probability)
        pieces += segmenter.step(ramp(8_000), probability: probability) + segmenter.finish(probability: probability)
        let found = try utterances(pieces)
        #expect(found.count == 1)
        #expect(found[0].samples == ramp(8_000) + Array(repeating: 0, count: 320) + ramp(8_000))
    }

    @Test(arguments: [Float(0), 0.9])
    func aLongLossEndsTheUtteranceAndKeepsTime(probabilityOfZeros: Float) throws {
        var segmenter = segmenter()
        var judged = 0
        let probability = { (chunk: Span<Float>) -> Float in
            judged += 1
            return chunk[0] == 0 ? probabilityOfZeros : 0.9
        }
        let sound = [Float](repeating: 1, count: 8_000)
        var pieces = segmenter.step(sound, probability: probability)
        pieces += segmenter.advance(silence: MediaTime(milliseconds: 3_600_000), probability: probability)
        #expect(segmenter.time == MediaTime(milliseconds: 3_600_500))
        #expect(judged < 100)
        pieces += segmenter.step(sound, probability: probability) + segmenter.finish(probability: probability)
        let found = try utterances(pieces)
        #expect(found.map(\.cause) == [.endpoint, .end])
        #expect(found[1].start == MediaTime(milliseconds: 3_600_500) && found[1].samples == sound)
    }

    @Test func whatWasHeardBeforeAMuteIsNotReachedBackInto() throws {
        var segmenter = segmenter()
        var pieces = segmenter.step(ramp(5_120)) { _ in 0.1 }
        pieces += segmenter.end(.mute) + segmenter.step(ramp(5_120)) { _ in 0.9 } + segmenter.end(.flush)
        let found = try utterances(pieces)
        #expect(found.count == 1 && found[0].samples == ramp(5_120))
    }

    @Test func resetStartsAFreshStreamWithNewNumbers() throws {
        var segmenter = segmenter()
        let first = segmenter.step(ramp(5_120)) { _ in 0.9 }
        segmenter.reset(origin: MediaTime(milliseconds: 5_000))
        let second = segmenter.step(ramp(5_120)) { _ in 0.9 }
        #expect(try utterances(first)[0].id == 1 && utterances(second)[0].id == 2)
        #expect(try utterances(second)[0].start == MediaTime(milliseconds: 5_000))
    }
}
