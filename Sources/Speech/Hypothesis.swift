import Glibc
package import Media

/// One word as a recogniser hears it, with the tokens that spell it.
package struct Word: Hashable, Sendable {
    /// Begins with its blank where the language writes one; punctuation that follows belongs to the word.
    package var text: String
    package var tokens: [Int]
    /// Time within the utterance, from its first sample.
    package var start: MediaTime
    package var end: MediaTime
    /// Mean probability of the tokens, 0...1.
    package var confidence: Float

    package init(text: String, tokens: [Int], start: MediaTime, end: MediaTime, confidence: Float) {
        self.text = text
        self.tokens = tokens
        self.start = start
        self.end = end
        self.confidence = confidence
    }
}

/// What a recogniser takes an utterance's sound so far to say.
package struct Hypothesis: Sendable {
    /// Why the words should not be shown.
    package enum Verdict: String, Sendable {
        case speech, silence, loop
        case lowConfidence = "low_confidence"
    }

    package var words: [Word]
    package var verdict: Verdict
    /// How many of `words` more sound will hardly change, where the model can tell (cross-attention); nil if it cannot.
    package var stableWords: Int?
    /// All words stand, whatever the rule says: speech paused and the model goes on from here.
    package var isSettled = false
    /// Language as a two-letter code.
    package var language: String
    /// Mean log-probability per token.
    package var meanLogProbability: Float

    package init(
        words: [Word], verdict: Verdict, stableWords: Int?, language: String, meanLogProbability: Float
    ) {
        self.words = words
        self.verdict = verdict
        self.stableWords = stableWords
        self.language = language
        self.meanLogProbability = meanLogProbability
    }

    /// Mean probability of a token, 0...1.
    package var confidence: Float { exp(meanLogProbability) }
}
