package import Media

/// Follows utterances piece by piece and tells their story as `TranscriptUpdate`s.
///
/// ```
/// SpokenPiece ─► take ─► Recogniser.append ─► every partial interval: Recogniser.begin … advance ─► StreamingTranscript ─► partial
///                        at a pause:          Recogniser.begin(isFinal) … advance, kept in case it was the end
///                        at the end:          the same, unless it is done already ────────────────────────────────► final
/// ```
/// Partials fall on exact sample counts of the utterance, however its sound was cut into pieces, so a run at full speed
/// tells what a paced one does. Work is done in quanta; while `work` has more to do no piece may be given.
package final class UtteranceTranscriber<Model: Recogniser> {
    package struct Configuration: Sendable {
        /// Stream time between partials; nil: finals only.
        package var partialInterval: MediaTime?
        package var rule: StreamingTranscript.StabilityRule
        /// Partials are skipped while results trail the sound by more than this.
        package var lagLimit: MediaTime
        /// Begins the final in the silence before the endpoint. For recognisers that can leave out the last of the sound
        /// and still go on.
        package var anticipatesFinal: Bool

        package init(
            partialInterval: MediaTime?, rule: StreamingTranscript.StabilityRule = .modelAndAgreement(count: 2),
            lagLimit: MediaTime = MediaTime(milliseconds: 1_500), anticipatesFinal: Bool = false
        ) {
            self.partialInterval = partialInterval
            self.rule = rule
            self.lagLimit = lagLimit
            self.anticipatesFinal = anticipatesFinal
        }
    }

    /// Where stream time and the wall stand; the owner knows.
    package struct Clock {
        /// How far the source is ahead of `time`.
        package var lag: (_ time: MediaTime) -> MediaTime
        /// Monotonic wall time.
        package var wall: () -> MediaTime

        package init(lag: @escaping (MediaTime) -> MediaTime, wall: @escaping () -> MediaTime) {
            self.lag = lag
            self.wall = wall
        }
    }

    fileprivate struct Utterance {
        var id: UtteranceID
        var start: MediaTime
        /// Samples appended so far.
        var heard = 0
        /// Wall time at which the end was known.
        var endedAt: MediaTime?
        /// Stream time of the end, once known.
        var end: MediaTime?
        /// The final if the utterance ends there.
        var anticipated: (end: MediaTime, hypothesis: Hypothesis)?
    }

    private enum Activity { case listening, partial, pause(end: MediaTime), final }

    private let recogniser: Model
    package var configuration: Configuration
    private let clock: Clock
    private let rateHz = 16_000
    private var transcript: StreamingTranscript
    private var utterance: Utterance?
    private var activity = Activity.listening
    /// Sound that was taken and not yet appended: it follows a partial in progress.
    private var waiting = Model.Sound()

    package init(recogniser: Model, configuration: Configuration, clock: Clock) {
        self.recogniser = recogniser
        self.configuration = configuration
        self.clock = clock
        transcript = StreamingTranscript(rule: configuration.rule)
    }

    /// Takes the next piece. Legal only while `work` has nothing to do.
    package func take(_ piece: SpokenPiece<Model.Sound>) -> [TranscriptUpdate] {
        guard case .listening = activity, waiting.isEmpty else {
            preconditionFailure("a piece was given to a busy transcriber")
        }
        switch piece.content {
        case .began(let start, let onset):
            utterance = Utterance(id: piece.utterance, start: start)
            transcript.reset()
            recogniser.reset()
            return [.started(piece.utterance, at: onset)]
        case .samples(let sound):
            waiting = sound
            return []
        case .paused(let end):
            guard configuration.anticipatesFinal, let current = utterance,
                clock.lag(heardEnd(current)) <= configuration.lagLimit
            else { return [] }
            activity = .pause(end: end)
            recogniser.begin(transcript.draft, samples: samples(of: current, until: end), isFinal: true)
            return []
        case .ended(let cause, let end, let decidedAt):
            guard var current = utterance else { return [] }
            current.endedAt = clock.wall()
            current.end = end
            utterance = current
            activity = .final
            if current.anticipated?.end != end {
                recogniser.begin(transcript.draft, samples: samples(of: current, until: end), isFinal: true)
            }
            return [.stopped(current.id, at: decidedAt, cause)]
        }
    }

    /// Does one quantum. `more` is false once all that was taken is worked off.
    package func work() throws -> (updates: [TranscriptUpdate], more: Bool) {
        switch activity {
        case .listening:
            if waiting.isEmpty { return ([], try recogniser.listen()) }
            appendUpToNextPartial()
            return ([], true)
        case .partial:
            guard let hypothesis = try recogniser.advance() else { return ([], true) }
            activity = .listening
            return (partial(hypothesis).map { [$0] } ?? [], true)
        case .pause(let end):
            guard let hypothesis = try recogniser.advance() else { return ([], true) }
            activity = .listening
            return (pause(hypothesis, end: end).map { [$0] } ?? [], true)
        case .final:
            guard let hypothesis = try utterance?.anticipated(for: utterance?.end) ?? recogniser.advance() else {
                return ([], true)
            }
            activity = .listening
            return ([conclude(hypothesis)], false)
        }
    }

    /// How far what was heard trails the source; zero between utterances.
    package var lag: MediaTime { utterance.map { clock.lag(heardEnd($0)) } ?? .zero }

    /// The program ends: an open utterance is given up, with what was shown of it.
    package func shutDown() -> [TranscriptUpdate] {
        guard let current = utterance else { return [] }
        recogniser.abandon()
        (utterance, waiting, activity) = (nil, Model.Sound(), .listening)
        return [.discarded(current.id, .shutdown, committed: shownCommitted)]
    }

    /// What is open is to be forgotten: it ends here and gets no text, but for what was shown of it.
    package func forget() -> [TranscriptUpdate] {
        guard let current = utterance else { return [] }
        recogniser.abandon()
        (utterance, waiting, activity) = (nil, Model.Sound(), .listening)
        var updates = [TranscriptUpdate.discarded(current.id, .silence, committed: shownCommitted)]
        if current.end == nil { updates.insert(.stopped(current.id, at: heardEnd(current), .mute), at: 0) }
        transcript.reset()
        recogniser.reset()
        return updates
    }

    private var shownCommitted: String? { transcript.committed.isEmpty ? nil : transcript.committedText }

    private func appendUpToNextPartial() {
        guard var current = utterance else { return waiting = Model.Sound() }
        var count = waiting.sampleCount
        var reachesPartial = false
        if let interval = configuration.partialInterval?.samples(rateHz: rateHz), interval > 0 {
            let next = (current.heard / interval + 1) * interval
            if next - current.heard <= count { (count, reachesPartial) = (next - current.heard, true) }
        }
        recogniser.append(waiting.takeFirst(count))
        current.heard += count
        utterance = current
        if reachesPartial, clock.lag(heardEnd(current)) <= configuration.lagLimit {
            activity = .partial
            recogniser.begin(transcript.draft, samples: current.heard, isFinal: false)
        }
    }

    /// How much of the sound heard lies before `end`.
    private func samples(of current: Utterance, until end: MediaTime) -> Int {
        min(current.heard, max(0, (end - current.start).samples(rateHz: rateHz)))
    }

    private func heardEnd(_ current: Utterance) -> MediaTime {
        current.start + MediaTime(samples: current.heard, rateHz: rateHz)
    }

    private func partial(_ hypothesis: Hypothesis) -> TranscriptUpdate? {
        guard let current = utterance, transcript.absorb(hypothesis) else { return nil }
        let end = heardEnd(current)
        return .partial(
            .init(
                utterance: current.id, revision: transcript.revision, committed: transcript.committedText,
                tentative: transcript.tentativeText, start: current.start, end: end, lag: clock.lag(end)))
    }

    /// Keeps what would be the final, and shows it as a partial.
    private func pause(_ hypothesis: Hypothesis, end: MediaTime) -> TranscriptUpdate? {
        guard let current = utterance else { return nil }
        utterance?.anticipated = (end, hypothesis)
        var shown = hypothesis
        shown.isSettled =
            hypothesis.verdict == .speech
            && recogniser.anchor(hypothesis, samples: samples(of: current, until: end))
        let update = partial(shown)
        return configuration.partialInterval == nil ? nil : update
    }

    private func conclude(_ hypothesis: Hypothesis) -> TranscriptUpdate {
        guard let current = utterance, let end = current.end, let endedAt = current.endedAt else {
            preconditionFailure("a final without an ended utterance")
        }
        utterance = nil
        let committed = shownCommitted
        // What was shown as committed stands, whatever the model thinks of the whole.
        if hypothesis.verdict != .speech, committed == nil {
            return .discarded(current.id, reason(hypothesis.verdict), committed: nil)
        }
        let words = transcript.conclude(hypothesis)
        guard !words.isEmpty else { return .discarded(current.id, .silence, committed: nil) }
        let text = StreamingTranscript.shown(words)
        return .final(
            .init(
                utterance: current.id, text: text, start: current.start, end: end, language: hypothesis.language,
                confidence: hypothesis.confidence, words: words.map { $0.shifted(by: current.start) },
                model: recogniser.modelName, latency: clock.wall() - endedAt))
    }

    private func reason(_ verdict: Hypothesis.Verdict) -> TranscriptUpdate.DiscardReason {
        switch verdict {
        case .loop: .loop
        case .lowConfidence: .lowConfidence
        case .silence, .speech: .silence
        }
    }
}

extension UtteranceTranscriber.Utterance {
    fileprivate func anticipated(for end: MediaTime?) -> Hypothesis? {
        anticipated.flatMap { $0.end == end ? $0.hypothesis : nil }
    }
}

extension Word {
    /// The same word on a time line that began `offset` earlier.
    package func shifted(by offset: MediaTime) -> Word {
        var word = self
        word.start += offset
        word.end += offset
        return word
    }
}
