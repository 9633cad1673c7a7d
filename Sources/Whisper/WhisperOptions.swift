/// How a stream wants to be transcribed.
package struct WhisperOptions: Sendable {
    package enum Task: Sendable { case transcribe, translate }

    /// What the encoder sees.
    package enum Window: Sendable, Equatable {
        /// 30 s, the sound followed by silence: what the model was trained on.
        case full
        /// The sound and `marginPositions` of 20 ms of silence behind it, rounded up to a multiple of `step` positions.
        case trimmed(marginPositions: Int, step: Int)
    }

    /// Two-letter code; nil: detected for each utterance.
    package var language: String?
    package var task = Task.transcribe
    /// For finals. A trimmed one costs words: with 4 s of margin tiny.en errs in 1.2 points more words.
    package var window = Window.full
    /// For partials, which come many times a second and need not be the last word. 4 s of silence behind the sound keep
    /// the decoder from repeating itself, at less than half the time of a full window.
    package var partialWindow = Window.trimmed(marginPositions: 200, step: 32)
    /// Whether the decoder writes timestamp tokens.
    package var timestamps = false
    /// Tried in turn on finals until one is accepted.
    package var temperatures: [Float] = [0, 0.2, 0.4, 0.6, 0.8, 1]
    /// A word is stable when its attention lies this many positions of 20 ms before the end of the sound ...
    package var unstablePositions = 50
    /// ... and it is as sure as this. What partials commit then costs the finals no word on average.
    package var stableConfidence: Float = 0.8

    package init() {}
}
