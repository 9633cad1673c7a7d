package import Media

/// Cuts a stream of sound into utterances: the sound's side of `Endpointer`.
///
/// ```
/// samples, any number ─► chunks of 512 ─ probability(of:) ─► Endpointer ─► began · samples · ended
///                             └─► history, as far back as an action can refer ──────────┘
/// ```
/// The pieces do not depend on how the samples come. They hold exact positions: `start` and `end` fall on samples, and
/// where an utterance is cut in the midst of speech, the next one's first sample is the one after its last.
package struct UtteranceSegmenter: Sendable {
    package static let rateHz = 16_000
    /// Samples per probability: 32 ms.
    package static let chunkSamples = 512

    private var settings: EndpointerSettings
    /// Settings that hold from the next utterance on.
    private var nextSettings: EndpointerSettings?
    private let nextUtterance: @Sendable () -> UtteranceID
    private var origin: MediaTime  // stream time of position 0
    private var endpointer: Endpointer
    private var history: [Float] = []
    private var historyStart = 0  // position of history[0]
    private var open: UtteranceID?
    private var sent = 0  // position after the last sample sent of the open utterance

    /// - Parameters:
    ///   - origin: stream time of the first sample.
    ///   - nextUtterance: gives each utterance its number.
    package init(
        settings: EndpointerSettings, origin: MediaTime = .zero, nextUtterance: @escaping @Sendable () -> UtteranceID
    ) {
        self.settings = settings
        self.origin = origin
        self.nextUtterance = nextUtterance
        endpointer = Endpointer(settings: settings, rateHz: Self.rateHz)
    }

    /// Stream time after the last sample taken.
    package var time: MediaTime { time(of: historyStart + history.count) }

    /// Takes the next samples, mono at 16 kHz. `probability` gets each chunk of 512 samples once, in order, and returns
    /// how likely it holds speech.
    package mutating func step(_ samples: [Float], probability: (Span<Float>) -> Float) -> [UtterancePiece] {
        history += samples
        var pieces: [UtterancePiece] = []
        while historyStart + history.count - endpointer.position >= Self.chunkSamples {
            if let next = nextSettings, !endpointer.isOpen {
                endpointer.adjust(to: next)
                (settings, nextSettings) = (next, nil)
            }
            let first = endpointer.position - historyStart
            let p = probability(history.span.extracting(first..<first + Self.chunkSamples))
            emit(endpointer.advance(to: endpointer.position + Self.chunkSamples, probability: p), into: &pieces)
        }
        trim()
        return pieces
    }

    /// Takes the place of sound that was lost, so that times stay right. A short loss counts as silence; a long one ends
    /// the open utterance by the usual rules and leaves the rest of its time out.
    package mutating func advance(silence lost: MediaTime, probability: (Span<Float>) -> Float) -> [UtterancePiece] {
        var left = lost.samples(rateHz: Self.rateHz)
        var pieces: [UtterancePiece] = []
        // One second more than should end an utterance: probabilities fall within a few chunks.
        var bridge = settings.silence.samples(rateHz: Self.rateHz) + Self.rateHz
        if left <= bridge { return step([Float](repeating: 0, count: left), probability: probability) }
        while bridge > 0 {
            pieces += step([Float](repeating: 0, count: Self.chunkSamples), probability: probability)
            left -= Self.chunkSamples
            bridge -= Self.chunkSamples
        }
        pieces += end(.endpoint)
        let resumed = historyStart + history.count + left
        endpointer.skip(to: resumed)
        history.removeAll(keepingCapacity: true)
        historyStart = resumed
        return pieces
    }

    /// Ends the open utterance, if any, where the last whole chunk ended. What follows makes a new one, which does not
    /// reach back.
    package mutating func end(_ cause: EndCause) -> [UtterancePiece] {
        var pieces: [UtterancePiece] = []
        emit(endpointer.end(cause), into: &pieces)
        trim()
        return pieces
    }

    /// Ends the stream; then only `reset` is legal.
    package mutating func finish(probability: (Span<Float>) -> Float) -> [UtterancePiece] {
        var pieces: [UtterancePiece] = []
        let rest = historyStart + history.count - endpointer.position
        if rest > 0 {
            let chunk = Array(history.suffix(rest)) + [Float](repeating: 0, count: Self.chunkSamples - rest)
            let p = probability(chunk.span)
            emit(endpointer.advance(to: endpointer.position + rest, probability: p), into: &pieces)
        }
        return pieces + end(.end)
    }

    /// Goes on by other settings once no utterance is open.
    package mutating func adjust(to settings: EndpointerSettings) { nextSettings = settings }

    /// Forgets everything; the next sample is at `origin`.
    package mutating func reset(origin: MediaTime) {
        self = UtteranceSegmenter(settings: nextSettings ?? settings, origin: origin, nextUtterance: nextUtterance)
    }

    /// Turns `actions` into pieces, followed by the sound of the open utterance up to the current position.
    private mutating func emit(_ actions: [Endpointer.Action], into pieces: inout [UtterancePiece]) {
        for action in actions {
            switch action {
            case .began(let start, let onset):
                let utterance = nextUtterance()
                open = utterance
                sent = start
                pieces.append(UtterancePiece(utterance, .began(start: time(of: start), onset: time(of: onset))))
            case .paused(let end):
                guard let utterance = open else { preconditionFailure("\(action) of no utterance") }
                send(upTo: endpointer.position, of: utterance, into: &pieces)
                pieces.append(UtterancePiece(utterance, .paused(end: time(of: end))))
            case .ended(let cause, let end, let decidedAt):
                guard let utterance = open else { preconditionFailure("\(action) of no utterance") }
                send(upTo: end, of: utterance, into: &pieces)
                let ended = UtterancePiece.Content.ended(cause, end: time(of: end), decidedAt: time(of: decidedAt))
                pieces.append(UtterancePiece(utterance, ended))
                open = nil
            }
        }
        if let utterance = open { send(upTo: endpointer.position, of: utterance, into: &pieces) }
    }

    private mutating func send(upTo end: Int, of utterance: UtteranceID, into pieces: inout [UtterancePiece]) {
        guard end > sent else { return }
        pieces.append(UtterancePiece(utterance, .samples(Array(history[sent - historyStart..<end - historyStart]))))
        sent = end
    }

    /// Drops history that no action can refer to; in steps of a second, as dropping moves what stays.
    private mutating func trim() {
        let unneeded = endpointer.horizon - historyStart
        guard unneeded >= Self.rateHz else { return }
        history.removeFirst(unneeded)
        historyStart += unneeded
    }

    private func time(of position: Int) -> MediaTime { origin + MediaTime(samples: position, rateHz: Self.rateHz) }
}
