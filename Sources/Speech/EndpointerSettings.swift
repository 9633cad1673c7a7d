package import Media

/// When an utterance begins and ends.
package struct EndpointerSettings: Hashable, Sendable {
    /// Silence that ends a young utterance; an old one ends at shorter pauses.
    package var silence: MediaTime
    /// Sound kept from before the onset of speech.
    package var preroll: MediaTime
    /// Speech that must outweigh the silence around it before an utterance begins.
    package var minSpeech: MediaTime
    /// Length at which an utterance is cut, preroll included.
    package var max: MediaTime
    /// How far back a cut at `max` may lie; nil: a third of `max`. Live it must not reach into what is committed already.
    package var cutReach: MediaTime?
    /// Probability from which a chunk is speech.
    package var threshold: Float
    /// Silence after which a pause is told, so that a final can be prepared; nil: pauses are not told.
    package var pause: MediaTime?

    package init(
        silence: MediaTime = MediaTime(milliseconds: 500), preroll: MediaTime = MediaTime(milliseconds: 300),
        minSpeech: MediaTime = MediaTime(milliseconds: 100), max: MediaTime = MediaTime(milliseconds: 28_000),
        cutReach: MediaTime? = nil, threshold: Float = 0.5, pause: MediaTime? = nil
    ) {
        precondition(silence >= .zero && preroll >= .zero && minSpeech >= .zero, "\(silence), \(preroll), \(minSpeech)")
        precondition(max >= MediaTime(milliseconds: 1_000), "utterances of at most \(max)")
        self.silence = silence
        self.preroll = preroll
        self.minSpeech = minSpeech
        self.max = max
        self.cutReach = cutReach
        self.threshold = threshold
        self.pause = pause
    }
}
