import Foundation
import Kernels
import Media
import Speech
import TestSupport
import Testing
import Whisper

@Suite(.enabled(if: RealData.model("whisper-tiny.en") != nil, "needs the model: narrator models pull whisper-tiny.en"))
struct WhisperRecogniserTests {
    private func recogniser(_ change: (inout WhisperOptions) -> Void = { _ in }) throws -> WhisperRecogniser {
        var options = WhisperOptions()
        change(&options)
        return try WhisperRecogniser(
            model: try #require(RealWhisper.tinyInt8), options: options, pool: RealWhisper.pool)
    }

    @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
        let jfk = try RealWhisper.jfk()
        let model = try #require(RealWhisper.tinyInt8)
        let one = try RealWhisper.hear(jfk, model: model, threads: 1)
        let three = try RealWhisper.hear(jfk, model: model, threads: 3)
        #expect(one.words == three.words)
        #expect(one.meanLogProbability == three.meanLogProbability)
    }

    @Test func soundInPiecesIsHeardAsSoundInOne() throws {
        let jfk = try RealWhisper.jfk()
        let whole = try RealWhisper.hear(jfk, model: try #require(RealWhisper.tinyInt8))
        let pieces = try recogniser()
        var position = 0
        for length in [1, 159, 160, 161, 4_000, 77, 100_000] {
            pieces.append(jfk.span.extracting(position..<min(position + length, jfk.count)))
            position = min(position + length, jfk.count)
        }
        pieces.append(jfk.span.extracting(position..<jfk.count))
        #expect(try RealWhisper.finish(pieces, Draft(), samples: jfk.count).words == whole.words)
    }

    @Test func committedWordsStandAtTheFrontWhateverTheyAre() throws {
        let jfk = try RealWhisper.jfk()
        let whole = try RealWhisper.hear(jfk, model: try #require(RealWhisper.tinyInt8))
        let committed = Array(whole.words.prefix(4)).map { word in
            var changed = word
            changed.confidence = 0.123
            return changed
        }
        let second = try recogniser()
        second.append(jfk.span)
        let hypothesis = try RealWhisper.finish(second, Draft(committed: committed), samples: jfk.count)
        #expect(Array(hypothesis.words.prefix(4)) == committed)
        #expect(hypothesis.words.map(\.text) == whole.words.map(\.text))
    }

    /// A guess saves steps and changes nothing, right or wrong.
    @Test(arguments: [0, 1, 3, 7, 15, 24]) func aGuessChangesNothing(right: Int) throws {
        let jfk = try RealWhisper.jfk()
        let whole = try RealWhisper.hear(jfk, model: try #require(RealWhisper.tinyInt8))
        var guess = Array(whole.words.prefix(right))
        if let wrong = whole.words.last { guess.append(wrong) }
        let second = try recogniser { $0.temperatures = [0] }
        second.append(jfk.span)
        let hypothesis = try RealWhisper.finish(second, Draft(tentative: guess), samples: jfk.count)
        #expect(hypothesis.words == whole.words)
        #expect(hypothesis.meanLogProbability == whole.meanLogProbability)
    }

    @Test func wordsAreInOrderAndInsideTheSound() throws {
        let jfk = try RealWhisper.jfk()
        let words = try RealWhisper.hear(jfk, model: try #require(RealWhisper.tinyInt8)).words
        #expect(words.count == 22)
        #expect(zip(words, words.dropFirst()).allSatisfy { $0.end <= $1.start })
        #expect(words.allSatisfy { $0.start <= $0.end && $0.confidence > 0 && $0.confidence <= 1 })
        #expect(try #require(words.last).end <= MediaTime(milliseconds: 11_000))
        // "ask" is said after the long pause, about 3.3 s and 8.2 s in.
        let asks = words.filter { $0.text.contains("ask") }.map(\.start.seconds)
        #expect(asks.count == 2 && abs(asks[0] - 3.3) < 0.8 && abs(asks[1] - 8.2) < 0.8, "\(asks)")
    }

    @Test func silenceIsNoSpeech() throws {
        let hypothesis = try RealWhisper.hear(
            [Float](repeating: 0, count: 80_000), model: try #require(RealWhisper.tinyInt8)
        ) {
            $0.temperatures = [0, 0.2, 0.4, 0.6, 0.8, 1]
        }
        #expect(hypothesis.verdict != .speech || hypothesis.words.isEmpty)
    }

    @Test func anEnglishModelRefusesOtherLanguagesAndTranslation() throws {
        #expect(throws: WhisperError.self) { try recogniser { $0.language = "de" } }
        #expect(throws: WhisperError.self) { try recogniser { $0.task = .translate } }
    }
}

@Suite(.enabled(if: RealData.model("whisper-base") != nil, "needs the model: narrator models pull whisper-base"))
struct MultilingualTests {
    @Test(.enabled(if: RealData.shared("speech") != nil, "needs ../shared/data")) func tellsAndTranslatesSwedish()
        throws
    {
        let folder = try #require(RealData.shared("speech"))
        let samples = try wavSamples(at: URL(filePath: "\(folder)/sv_0002.wav"))
        let model = try #require(RealWhisper.baseInt8)
        let swedish = try RealWhisper.hear(samples, model: model)
        #expect(swedish.language == "sv")
        let english = try RealWhisper.hear(samples, model: model) { $0.task = .translate }
        let text = english.words.map(\.text).joined().lowercased()
        #expect(text.contains("test") && !text.contains("två"), "\(text)")
    }

    @Test func refusesALanguageItDoesNotKnow() throws {
        var options = WhisperOptions()
        options.language = "xx"
        #expect(throws: WhisperError.self) {
            try WhisperRecogniser(
                model: try #require(RealWhisper.baseInt8), options: options, pool: RealWhisper.pool)
        }
    }
}
