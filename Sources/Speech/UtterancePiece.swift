package import Media

/// Number of an utterance, unique per run of the program.
package struct UtteranceID: Hashable, Comparable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
    package static func < (a: UtteranceID, b: UtteranceID) -> Bool { a.number < b.number }
}

/// Why an utterance ended.
package enum EndCause: String, Sendable {
    case endpoint, max, flush, mute, end
}

/// What leaves the `endpoint` stage: an utterance of samples, piece by piece. Whisper's and Gemma's stages take it alike.
package typealias UtterancePiece = SpokenPiece<[Float]>

/// An utterance, piece by piece; its sound is samples, or what an encoder made of them.
package struct SpokenPiece<Sound: UtteranceSound>: Sendable {
    package enum Content: Sendable {
        /// The utterance begins; its first sample (preroll included) is at `start`, speech was detected at `onset`.
        case began(start: MediaTime, onset: MediaTime)
        /// Mono sound at 16 kHz that follows what came before without a gap.
        case samples(Sound)
        /// Speech has paused. If it does not go on, the utterance will end at `end`, and `ended` says so later.
        case paused(end: MediaTime)
        /// The utterance ended. `end` may lie before the last sample sent: what follows `end` belongs to the next one.
        /// `decidedAt` is the stream time at which the end was known.
        case ended(EndCause, end: MediaTime, decidedAt: MediaTime)
    }

    package let utterance: UtteranceID
    package let content: Content

    package init(_ utterance: UtteranceID, _ content: Content) {
        self.utterance = utterance
        self.content = content
    }
}
