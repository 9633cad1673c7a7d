import Media

/// Decides where utterances begin and end, from one speech probability per chunk of sound.
///
/// A pure state machine over sample positions: no clock, no sound. Position 0 is where the stream begins; `advance`
/// moves it on. What it promises: utterances do not overlap; where one is cut for its length in the midst of speech, the
/// next begins at that very sample; everything between two utterances was silence, or a blip.
/// ```
///  quiet ── p ≥ threshold ──► rising ── speech outweighs silence by minSpeech ──► speaking ◄── p ≥ threshold ──┐
///    ▲ ◄── silence outweighs ───┘                                                   └── p < lower threshold ──► trailing
///    └──────────────────── silence long enough: ended(.endpoint); too long: ended(.max) ◄─────────────────────────┘
/// ```
package struct Endpointer: Sendable {
    /// What happened; positions in samples.
    package enum Action: Hashable, Sendable {
        /// An utterance begins at `start`, preroll included; speech was first heard at `onset`.
        case began(start: Int, onset: Int)
        /// Speech has paused; if it does not go on, the utterance ends at `end`.
        case paused(end: Int)
        /// The open utterance ends at `end`; this was known at `decidedAt`.
        case ended(EndCause, end: Int, decidedAt: Int)
    }

    private enum State: Hashable, Sendable {
        case quiet
        /// Speech since `onset`, so far a blip; `weight` is speech less silence since then.
        case rising(onset: Int, weight: Int)
        case speaking
        /// Silence since this position, inside an utterance.
        case trailing(since: Int)
    }

    private let rateHz: Int
    private let silence: Int  // this and the following in samples
    private let shortestSilence: Int  // required close to the maximum length; a stop consonant's closure is shorter
    private let trailingPad: Int  // kept of the silence after the last speech: soft word endings lie in it
    private let preroll: Int
    private let minSpeech: Int
    private let max: Int
    private let cutReach: Int
    private let longestRise: Int  // speech that has not made itself clear by then was none
    private let pause: Int?  // silence after which a pause is told
    private let threshold: Float
    private let lowerThreshold: Float  // speech goes on down to here

    private var state = State.quiet
    private var start = 0  // of the open utterance
    private var free = 0  // where the last utterance ended: the next begins here at the earliest
    private var chunks: [Chunk] = []  // of the open utterance, from its start

    private struct Chunk: Hashable, Sendable {
        var start: Int
        var end: Int
        var probability: Float
    }

    /// How far the stream has been heard.
    package private(set) var position = 0

    /// `rateHz` is that of the positions.
    package init(settings: EndpointerSettings, rateHz: Int) {
        self.rateHz = rateHz
        silence = settings.silence.samples(rateHz: rateHz)
        preroll = settings.preroll.samples(rateHz: rateHz)
        minSpeech = settings.minSpeech.samples(rateHz: rateHz)
        max = settings.max.samples(rateHz: rateHz)
        cutReach = settings.cutReach?.samples(rateHz: rateHz) ?? max - max * 2 / 3
        longestRise = minSpeech + rateHz
        threshold = settings.threshold
        pause = settings.pause?.samples(rateHz: rateHz)
        lowerThreshold = Swift.max(0.01, settings.threshold - 0.15)  // as the publisher of Silero VAD has it
        trailingPad = 200 * rateHz / 1_000
        shortestSilence = Swift.min(silence, 150 * rateHz / 1_000)
    }

    /// Whether an utterance is open.
    package var isOpen: Bool {
        switch state {
        case .quiet, .rising: false
        case .speaking, .trailing: true
        }
    }

    /// Takes the probability that the chunk from `position` to `newPosition` holds speech.
    package mutating func advance(to newPosition: Int, probability: Float) -> [Action] {
        precondition(newPosition > position, "from \(position) to \(newPosition)")
        let chunk = Chunk(start: position, end: newPosition, probability: probability)
        position = newPosition
        if isOpen { chunks.append(chunk) }
        switch state {
        case .quiet:
            return probability >= threshold ? rise(chunk, onset: chunk.start, weight: 0) : []
        case .rising(let onset, let weight):
            return rise(chunk, onset: onset, weight: weight)
        case .speaking:
            if probability < lowerThreshold { state = .trailing(since: chunk.start) }
        case .trailing(let since):
            if probability >= threshold {
                state = .speaking
            } else if position - since >= requiredSilence {
                return close(.endpoint, at: endInSilence(since))
            } else if let pause, (chunk.start - since..<position - since).contains(pause - 1), position - start < max {
                return [.paused(end: endInSilence(since))]
            }
        }
        return position - start >= max ? cut() : []
    }

    /// Ends the open utterance, if any, at the current position. Speech that goes on makes a new one.
    package mutating func end(_ cause: EndCause) -> [Action] {
        defer {
            state = .quiet
            free = position
        }
        switch state {
        case .quiet, .rising: return []
        case .speaking: return close(cause, at: position)
        case .trailing(let since): return close(cause, at: endInSilence(since))
        }
    }

    /// Goes on by other settings. What lies before the horizon stays out of reach. No utterance may be open.
    package mutating func adjust(to settings: EndpointerSettings) {
        precondition(!isOpen, "an utterance is open since \(start)")
        let free = Swift.max(free, horizon)
        let (state, position) = (state, position)
        self = Endpointer(settings: settings, rateHz: rateHz)
        (self.state, self.position, self.free) = (state, position, free)
    }

    /// Moves on over sound that was not heard; no utterance may be open.
    package mutating func skip(to newPosition: Int) {
        precondition(!isOpen && newPosition >= position, "from \(position) to \(newPosition)")
        position = newPosition
        free = newPosition
        state = .quiet
    }

    /// No action to come refers to a position before this one.
    package var horizon: Int {
        switch state {
        case .quiet: earliestStart(position)
        case .rising(let onset, _): earliestStart(onset)
        case .speaking: Swift.min(position, earliestCut)
        case .trailing(let since): Swift.min(since, earliestCut)
        }
    }

    /// Where an utterance with this onset begins; at most half of the maximum length back, or it could never last.
    private func earliestStart(_ onset: Int) -> Int { Swift.max(free, onset - preroll, position - max / 2) }

    private var earliestCut: Int { start + max - cutReach }

    /// Falls from `silence` to `shortestSilence` over the second half of the maximum length: the nearer the cut, the
    /// more welcome a pause.
    private var requiredSilence: Int {
        let old = Double(position - start - max / 2) / Double(max - max / 2)
        return silence - Int(Double(silence - shortestSilence) * Swift.min(1, Swift.max(0, old)))
    }

    private func endInSilence(_ since: Int) -> Int { Swift.min(since + trailingPad, position) }

    /// Weighs speech against silence until one has the upper hand.
    private mutating func rise(_ chunk: Chunk, onset: Int, weight: Int) -> [Action] {
        let length = chunk.end - chunk.start
        var newWeight = weight
        if chunk.probability >= threshold {
            newWeight += length
        } else if chunk.probability < lowerThreshold {
            newWeight -= length
        }
        if newWeight <= 0 || (newWeight < minSpeech && chunk.end - onset > longestRise) {
            state = .quiet
        } else if newWeight < minSpeech {
            state = .rising(onset: onset, weight: newWeight)
        } else {
            start = earliestStart(onset)
            // The chunks before do not matter: they lie outside the part of the utterance where it may be cut.
            chunks = [chunk]
            state = chunk.probability < lowerThreshold ? .trailing(since: chunk.start) : .speaking
            return [.began(start: start, onset: Swift.max(start, onset))]
        }
        return []
    }

    private mutating func close(_ cause: EndCause, at end: Int) -> [Action] {
        state = .quiet
        free = end
        chunks = []
        return [.ended(cause, end: end, decidedAt: position)]
    }

    /// Cuts the open utterance, which is too long, at the best pause of its last third; if speech went on after the
    /// cut, the next utterance begins there.
    private mutating func cut() -> [Action] {
        let end = bestCut
        let speechEnd = if case .trailing(let since) = state { since } else { position }
        let rest = chunks.filter { $0.start >= end }
        let unfinished = state
        var actions = close(.max, at: end)
        if let onset = rest.first(where: { $0.probability >= lowerThreshold && $0.start < speechEnd })?.start {
            actions.append(.began(start: end, onset: onset))
            start = end
            chunks = rest
            state = unfinished
        }
        return actions
    }

    /// The border between chunks around which speech is least likely; of equals, the last.
    private var bestCut: Int {
        let reach = 2  // chunks on either side: the pause between two words, not the closure inside one
        var best = (position, Float.infinity)
        for (index, chunk) in chunks.enumerated() where chunk.end >= earliestCut && chunk.end < position {
            let around = chunks[Swift.max(0, index + 1 - reach)..<Swift.min(chunks.count, index + 1 + reach)]
            let mean = around.reduce(0) { $0 + $1.probability } / Float(around.count)
            if mean <= best.1 { best = (chunk.end, mean) }
        }
        return best.0
    }
}
