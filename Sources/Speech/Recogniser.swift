/// A model that turns the sound of one utterance into words. `StreamingTranscript` stands before it and owns what was
/// committed; a model knows neither of partials nor of subscribers.
///
/// Work is cut into quanta so that a lane can turn to something more urgent in between: `begin` states what is wanted,
/// `advance` does one quantum (an encoder block, a decoder step) until it returns the hypothesis.
package protocol Recogniser: AnyObject {
    var modelName: String { get }
    /// What it takes speech to be in when it has heard none.
    var defaultLanguage: String { get }
    /// Longest sound of one utterance.
    var maxSamples: Int { get }
    /// A new utterance begins; all sound is forgotten.
    func reset()
    /// Appends mono sound at 16 kHz.
    func append(_ samples: Span<Float>)
    /// Forgets the sound after the first `count` samples.
    func truncate(toSamples count: Int)
    /// Starts on a hypothesis for all sound so far. Its words begin with `draft.committed`, which are never changed.
    func begin(_ draft: Draft, isFinal: Bool)
    /// Does one quantum. Nil: there is more to do.
    func advance() throws -> Hypothesis?
    /// Drops the hypothesis in progress.
    func abandon()
}

/// What a new hypothesis starts from.
package struct Draft: Sendable {
    /// Words that stand.
    package var committed: [Word]
    /// Words of the last hypothesis that may be checked in one go.
    package var tentative: [Word]

    package init(committed: [Word] = [], tentative: [Word] = []) {
        self.committed = committed
        self.tentative = tentative
    }
}
