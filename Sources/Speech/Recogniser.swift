/// A model that turns the sound of one utterance into words. `StreamingTranscript` stands before it and owns what was
/// committed; a model knows neither of partials nor of subscribers.
///
/// Work is cut into quanta so that a lane can turn to something more urgent in between: `begin` states what is wanted,
/// `advance` does one quantum (an encoder block, a decoder step) until it returns the hypothesis.
package protocol Recogniser<Sound>: AnyObject {
    associatedtype Sound: UtteranceSound
    var modelName: String { get }
    /// What it takes speech to be in when it has heard none.
    var defaultLanguage: String { get }
    /// Longest sound of one utterance.
    var maxSamples: Int { get }
    /// A new utterance begins; all sound is forgotten.
    func reset()
    /// Appends mono sound at 16 kHz.
    func append(_ sound: Sound)
    /// Works sound in that was appended, one quantum; returns whether there is more to do. No hypothesis is in progress.
    func listen() throws -> Bool
    /// Starts on a hypothesis for the first `samples` samples. Its words begin with `draft.committed`, which are never
    /// changed.
    func begin(_ draft: Draft, samples: Int, isFinal: Bool)
    /// Does one quantum. Nil: there is more to do.
    func advance() throws -> Hypothesis?
    /// Drops the hypothesis in progress.
    func abandon()
    /// Speech paused after `samples` samples and `hypothesis` says what was said so far. A recogniser whose work grows with
    /// the utterance may let these words stand and go on from there.
    /// - Returns: Whether it does. From then on `draft.committed` begins with all words of the hypothesis.
    func anchor(_ hypothesis: Hypothesis, samples: Int) -> Bool
}

extension Recogniser {
    package func listen() throws -> Bool { false }
    package func anchor(_ hypothesis: Hypothesis, samples: Int) -> Bool { false }
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
