package import Media

/// What leaves a transcribing stage: the story of each utterance, in order, ending in exactly one `final` or `discarded`.
package enum TranscriptUpdate: Sendable {
    package struct Partial: Sendable {
        package var utterance: UtteranceID
        package var revision: Int
        /// Only ever grows within an utterance.
        package var committed: String
        /// Begins with its blank.
        package var tentative: String
        package var start: MediaTime
        package var end: MediaTime
        /// How far the result trails the sound.
        package var lag: MediaTime
    }

    package struct Final: Sendable {
        package var utterance: UtteranceID
        /// Begins with the last partial's `committed`, byte for byte.
        package var text: String
        package var start: MediaTime
        package var end: MediaTime
        package var language: String
        /// 0...1
        package var confidence: Float
        /// Times on the stream.
        package var words: [Word]
        package var model: String
        /// From the decision that the utterance had ended to this result, by the wall.
        package var latency: MediaTime
    }

    package enum DiscardReason: String, Sendable {
        case silence, loop, shutdown
        case lowConfidence = "low_confidence"
    }

    case started(UtteranceID, at: MediaTime)
    case stopped(UtteranceID, at: MediaTime, EndCause)
    case partial(Partial)
    case final(Final)
    case discarded(UtteranceID, DiscardReason, committed: String?)
}
