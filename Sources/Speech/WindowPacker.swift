/// Packs utterances of a recording into windows for a recogniser that hears at most one window at a time.
///
/// Utterances that follow each other closely share a window, with the true silence between them, so that the model has
/// context and the encoder runs less often. All positions are samples of the recording.
package struct WindowPacker: Sendable {
    package let maxSamples: Int
    package let maxGapSamples: Int
    private var open: Range<Int>?

    /// - Parameters:
    ///   - maxSamples: longest window.
    ///   - maxGapSamples: longest silence inside one.
    package init(maxSamples: Int, maxGapSamples: Int) {
        (self.maxSamples, self.maxGapSamples) = (maxSamples, maxGapSamples)
    }

    /// Start of the sound that is still needed; nil if none is.
    package var neededFrom: Int? { open?.lowerBound }

    /// Takes the next utterance, which begins where the last ended or later. Returns the window it closes, if any.
    package mutating func add(_ utterance: Range<Int>) -> Range<Int>? {
        precondition(utterance.count <= maxSamples, "an utterance of \(utterance.count) samples, \(maxSamples) fit")
        guard let current = open else {
            open = utterance
            return nil
        }
        let joined = current.lowerBound..<utterance.upperBound
        if joined.count <= maxSamples, utterance.lowerBound - current.upperBound <= maxGapSamples {
            open = joined
            return nil
        }
        open = utterance
        return current
    }

    /// The sound has reached `position` in silence. Returns the open window once nothing more can join it.
    package mutating func advance(to position: Int) -> Range<Int>? {
        guard let current = open, position - current.upperBound > maxGapSamples else { return nil }
        open = nil
        return current
    }

    /// The recording has ended: the last window, if one is open.
    package mutating func finish() -> Range<Int>? {
        defer { open = nil }
        return open
    }
}
