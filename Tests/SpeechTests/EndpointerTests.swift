import Media
import Speech
import TestSupport
import Testing

/// Scripts: probabilities as runs of (p, chunks), one chunk 32 ms at 16 kHz.
struct EndpointerTests {
    private let chunk = 512

    private func run(
        _ script: [(Float, Int)], settings: EndpointerSettings = EndpointerSettings(), ends: EndCause? = .end
    )
        -> [Endpointer.Action]
    {
        var endpointer = Endpointer(settings: settings, rateHz: 16_000)
        var actions: [Endpointer.Action] = []
        for (probability, count) in script {
            for _ in 0..<count {
                actions += endpointer.advance(to: endpointer.position + chunk, probability: probability)
            }
        }
        if let cause = ends { actions += endpointer.end(cause) }
        return actions
    }

    @Test func speechBetweenSilencesIsOneUtteranceWithPrerollAndPad() {
        let actions = run([(0.1, 20), (0.9, 30), (0.1, 30)])
        #expect(
            actions == [
                .began(start: 20 * chunk - 4_800, onset: 20 * chunk),
                .ended(.endpoint, end: 50 * chunk + 3_200, decidedAt: 66 * chunk)
            ])
    }

    @Test func prerollStopsAtTheStreamsStart() {
        #expect(run([(0.1, 2), (0.9, 10)]).first == .began(start: 0, onset: 2 * chunk))
    }

    @Test func prerollStopsWhereTheLastUtteranceEnded() {
        let settings = EndpointerSettings(
            silence: MediaTime(milliseconds: 200), preroll: MediaTime(milliseconds: 1_000))
        let actions = run([(0.9, 10), (0.1, 8), (0.9, 10)], settings: settings)
        #expect(
            actions == [
                .began(start: 0, onset: 0), .ended(.endpoint, end: 10 * chunk + 3_200, decidedAt: 17 * chunk),
                .began(start: 10 * chunk + 3_200, onset: 18 * chunk),
                .ended(.end, end: 28 * chunk, decidedAt: 28 * chunk)
            ])
    }

    @Test(arguments: [1, 2, 3])
    func blipsMakeNoUtterance(count: Int) {
        #expect(run([(0.1, 5), (0.95, count), (0.1, 40), (0.95, count), (0.1, 40)]).isEmpty)
    }

    @Test func blipsThatFollowEachOtherMakeNoUtterance() {
        #expect(run(Array(repeating: [(0.95, 2), (0.1, 3)], count: 20).flatMap { $0 }).isEmpty)
    }

    @Test func aBlipFollowedByHesitationIsForgotten() {
        var endpointer = Endpointer(settings: EndpointerSettings(), rateHz: 16_000)
        _ = endpointer.advance(to: chunk, probability: 0.9)
        for index in 2...200 { #expect(endpointer.advance(to: index * chunk, probability: 0.4).isEmpty) }
        #expect(endpointer.horizon == 200 * chunk - 4_800)
    }

    @Test func speechWithShortDipsMakesAnUtterance() {
        let actions = run([(0.1, 5), (0.9, 2), (0.1, 1), (0.9, 3), (0.1, 20)])
        #expect(actions.first == .began(start: 5 * chunk - 2_560, onset: 5 * chunk))
    }

    @Test func pausesShorterThanSilenceDoNotEndAnUtterance() {
        let actions = run([(0.9, 10), (0.1, 15), (0.9, 10), (0.1, 16)])
        #expect(actions.count == 2)
        #expect(actions.last == .ended(.endpoint, end: 35 * chunk + 3_200, decidedAt: 51 * chunk))
    }

    @Test func hysteresisKeepsSpeechGoingButDoesNotStartIt() {
        #expect(run([(0.4, 50)]).isEmpty)
        #expect(run([(0.9, 10), (0.4, 50)], ends: nil).count == 1)
        // Once silence has begun, a hesitant probability does not end it.
        #expect(run([(0.9, 10), (0.1, 1), (0.4, 15)], ends: nil).count == 2)
    }

    @Test(arguments: [EndCause.flush, .mute, .end])
    func endClosesAnOpenUtteranceNow(cause: EndCause) {
        #expect(run([(0.9, 10)], ends: cause).last == .ended(cause, end: 10 * chunk, decidedAt: 10 * chunk))
        #expect(run([(0.1, 10)], ends: cause).isEmpty)
        #expect(run([(0.9, 3)], ends: cause).isEmpty)
        #expect(
            run([(0.9, 10), (0.1, 10)], ends: cause).last
                == .ended(cause, end: 10 * chunk + 3_200, decidedAt: 20 * chunk))
    }

    @Test func speechThatGoesOnAfterAFlushMakesANewUtteranceFromThere() {
        var endpointer = Endpointer(settings: EndpointerSettings(), rateHz: 16_000)
        for index in 1...20 { _ = endpointer.advance(to: index * chunk, probability: 0.9) }
        _ = endpointer.end(.flush)
        var actions: [Endpointer.Action] = []
        for index in 21...30 { actions += endpointer.advance(to: index * chunk, probability: 0.9) }
        #expect(actions == [.began(start: 20 * chunk, onset: 20 * chunk)])
    }

    @Test func longSpeechIsCutAtTheBestPauseOfTheLastThirdAndGoesOnThere() {
        // 875 chunks are 28 s; the dip at chunk 700 is deeper than the one at 800, the one at 300 is too early.
        let script: [(Float, Int)] = [
            (0.95, 300), (0.36, 4), (0.95, 396), (0.45, 4), (0.95, 96), (0.6, 4), (0.95, 100), (0.1, 30)
        ]
        #expect(
            run(script) == [
                .began(start: 0, onset: 0), .ended(.max, end: 702 * chunk, decidedAt: 875 * chunk),
                .began(start: 702 * chunk, onset: 702 * chunk),
                .ended(.endpoint, end: 904 * chunk + 3_200, decidedAt: 920 * chunk)
            ])
    }

    @Test func speechWithoutAnyPauseIsCutLateAndJoined() {
        let actions = run([(1, 2_000), (0, 30)])
        #expect(actions.count == 6)
        for index in [1, 3] {
            guard case .ended(.max, let end, let decidedAt) = actions[index],
                case .began(let start, _) = actions[index + 1]
            else { return #expect(Bool(false), "\(actions)") }
            #expect(start == end && decidedAt - end < 16_000)
        }
    }

    @Test func aShorterPauseEndsAnOldUtterance() {
        // After 25 s, 0.5 − 0.35 · (25 − 14) / 14 s = 225 ms are enough.
        #expect(run([(0.9, 782), (0.1, 8)], ends: nil).count == 2)
        #expect(run([(0.9, 400), (0.1, 8)], ends: nil).count == 1)
    }

    @Test func aCutInTheFinalSilenceOpensNothing() {
        let settings = EndpointerSettings(
            silence: MediaTime(milliseconds: 140), max: MediaTime(milliseconds: 1_024))
        let actions = run([(0.9, 29), (0.1, 10)], settings: settings)
        #expect(actions.count == 2)
    }

    @Test func skippedSoundIsNeverReachedBackInto() {
        var endpointer = Endpointer(settings: EndpointerSettings(), rateHz: 16_000)
        _ = endpointer.advance(to: chunk, probability: 0.1)
        endpointer.skip(to: 1_000_000)
        var actions: [Endpointer.Action] = []
        for index in 1...6 { actions += endpointer.advance(to: 1_000_000 + index * chunk, probability: 0.9) }
        #expect(actions == [.began(start: 1_000_000, onset: 1_000_000)])
    }

    @Test(arguments: 0..<40)
    func promisesHoldForAnyProbabilities(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let settings = EndpointerSettings(
            silence: MediaTime(milliseconds: .random(in: 50...900, using: &random)),
            preroll: MediaTime(milliseconds: .random(in: 0...600, using: &random)),
            minSpeech: MediaTime(milliseconds: .random(in: 0...200, using: &random)),
            max: MediaTime(milliseconds: .random(in: 1_000...8_000, using: &random)))
        let maxSamples = settings.max.samples(rateHz: 16_000)
        var endpointer = Endpointer(settings: settings, rateHz: 16_000)
        var (level, start, lastEnd) = (Float(0), Int?.none, 0)
        for _ in 0..<6_000 {
            if Float.random(in: 0..<1, using: &random) < 0.05 { level = .random(in: 0..<1, using: &random) }
            let probability = min(1, max(0, level + .random(in: -0.2..<0.2, using: &random)))
            let horizon = endpointer.horizon
            var actions = endpointer.advance(to: endpointer.position + chunk, probability: probability)
            if Int.random(in: 0..<500, using: &random) == 0 { actions += endpointer.end(.flush) }
            for action in actions {
                switch action {
                case .began(let begin, let onset):
                    #expect(start == nil && begin >= lastEnd && begin <= onset && begin >= horizon)
                    start = begin
                case .paused: Issue.record("nobody asked for pauses")
                case .ended(_, let end, let decidedAt):
                    let length = end - (start ?? .max)
                    #expect(length > 0 && length <= maxSamples + chunk && end >= horizon)
                    #expect(end <= decidedAt && decidedAt == endpointer.position)
                    (start, lastEnd) = (nil, end)
                }
            }
            #expect((start != nil) == endpointer.isOpen)
        }
    }
}
