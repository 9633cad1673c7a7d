import Media
import Speech
import TestSupport
import Testing

/// Words with a token and 100 ms each.
func words(_ text: String) -> [Word] {
    text.split(separator: " ").enumerated().map { index, word in
        Word(
            text: " \(word)", tokens: [word.hashValue], start: MediaTime(milliseconds: 100 * index),
            end: MediaTime(milliseconds: 100 * (index + 1)), confidence: 0.9)
    }
}

func hypothesis(
    _ text: String, stable: Int? = nil, verdict: Hypothesis.Verdict = .speech
) -> Hypothesis {
    Hypothesis(words: words(text), verdict: verdict, stableWords: stable, language: "en", meanLogProbability: -0.1)
}

struct StreamingTranscriptTests {
    @Test func commitsWhatTwoHypothesesAgreeOnButForALastWord() {
        var transcript = StreamingTranscript(rule: .agreement(count: 2))
        let result1 = transcript.absorb(hypothesis("and so my"))
        #expect(result1)
        #expect(transcript.committedText == "")
        #expect(transcript.tentativeText == " and so my")
        let result2 = transcript.absorb(hypothesis("and so my fell"))
        #expect(result2)
        #expect(transcript.committedText == "and so")
        #expect(transcript.tentativeText == " my fell")
        let result3 = transcript.absorb(hypothesis("and so my fellow americans"))
        #expect(result3)
        #expect(transcript.committedText == "and so my")
    }

    @Test func commitsWhatTheModelCallsStable() {
        var transcript = StreamingTranscript(rule: .model)
        let result4 = transcript.absorb(hypothesis("one two three", stable: 2))
        #expect(result4)
        #expect(transcript.committedText == "one two")
        #expect(transcript.tentativeText == " three")
    }

    @Test func bothRulesMustHold() {
        var transcript = StreamingTranscript(rule: .modelAndAgreement(count: 2))
        _ = transcript.absorb(hypothesis("one two three four", stable: 1))
        _ = transcript.absorb(hypothesis("one two three four", stable: 1))
        #expect(transcript.committedText == "one")
        _ = transcript.absorb(hypothesis("one two four four", stable: 4))
        #expect(transcript.committedText == "one two")
    }

    @Test func ignoresAHypothesisThatContradictsWhatStands() {
        var transcript = StreamingTranscript(rule: .model)
        _ = transcript.absorb(hypothesis("one two three", stable: 2))
        let result5 = transcript.absorb(hypothesis("won two three four", stable: 4))
        #expect(!result5)
        #expect(transcript.committedText == "one two")
        let final = transcript.conclude(hypothesis("won")).map(\.text)
        #expect(final == [" one", " two"])
    }

    @Test func ignoresALoop() {
        var transcript = StreamingTranscript(rule: .model)
        let result6 = transcript.absorb(hypothesis("no no no no", stable: 4, verdict: .loop))
        #expect(!result6)
        #expect(transcript.committedText == "")
    }

    @Test func tellsNothingWhenNothingChanged() {
        var transcript = StreamingTranscript(rule: .model)
        let result7 = transcript.absorb(hypothesis("one", stable: 0))
        #expect(result7)
        let result8 = transcript.absorb(hypothesis("one", stable: 0))
        #expect(!result8)
        #expect(transcript.revision == 1)
    }

    /// Whatever hypotheses come, the committed text only grows and the final begins with it.
    @Test(arguments: 0..<50) func committedTextOnlyGrows(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rules: [StreamingTranscript.StabilityRule] = [.agreement(count: 2), .model, .modelAndAgreement(count: 3)]
        var transcript = StreamingTranscript(rule: rules[Int(seed) % rules.count])
        let vocabulary = ["a", "b", "c"]
        var shown = ""
        for _ in 0..<40 {
            let count = Int.random(in: 0...6, using: &random)
            // Recognisers keep what was committed; some do not, and must not harm.
            let kept = Bool.random(using: &random) ? transcript.committed : []
            let text = (0..<count).map { _ in vocabulary.randomElement(using: &random)! }.joined(separator: " ")
            var next = hypothesis(text, stable: Int.random(in: 0...6, using: &random))
            next.words = kept + next.words
            next.stableWords = min(next.stableWords ?? 0, next.words.count)
            _ = transcript.absorb(next)
            #expect(transcript.committedText.hasPrefix(shown))
            shown = transcript.committedText
        }
        let final = StreamingTranscript.shown(transcript.conclude(hypothesis("a b")))
        #expect(final.hasPrefix(shown))
    }
}
