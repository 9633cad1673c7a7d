package import Media

/// Follows utterances piece by piece and tells their story as `TranscriptUpdate`s.
///
/// ```
/// UtterancePiece ─► take ─► Recogniser.append ─► every partial interval: Recogniser.begin … advance ─► StreamingTranscript ─► partial
///                           at the end:          Recogniser.begin(isFinal) … advance ─────────────────────────────────────► final
/// ```
/// Partials fall on exact sample counts of the utterance, however its sound was cut into pieces, so a run at full speed
/// tells what a paced one does. Work is done in quanta; while `work` has more to do no piece may be given.
package final class UtteranceTranscriber {
    package struct Configuration: Sendable {
        /// Stream time between partials; nil: finals only.
        package var partialInterval: MediaTime?
        package var rule: StreamingTranscript.StabilityRule
        /// Partials are skipped while results trail the sound by more than this.
        package var lagLimit: MediaTime

        package init(
            partialInterval: MediaTime?, rule: StreamingTranscript.StabilityRule = .modelAndAgreement(count: 2),
            lagLimit: MediaTime = MediaTime(milliseconds: 1_500)
        ) {
            self.partialInterval = partialInterval
            self.rule = rule
            self.lagLimit = lagLimit
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

    private struct Utterance {
        var id: UtteranceID
        var start: MediaTime
        /// Samples appended so far.
        var heard = 0
        /// Wall time at which the end was known.
        var endedAt: MediaTime?
        /// Stream time of the end, once known.
        var end: MediaTime?
    }

    private enum Activity { case listening, partial, final }

    private let recogniser: any Recogniser
    private var configuration: Configuration
    private let clock: Clock
    private let rateHz = 16_000
    private var transcript: StreamingTranscript
    private var utterance: Utterance?
    private var activity = Activity.listening
    /// Sound that was taken and not yet appended: it follows a partial in progress.
    private var waiting: ArraySlice<Float> = []

    package init(recogniser: any Recogniser, configuration: Configuration, clock: Clock) {
        self.recogniser = recogniser
        self.configuration = configuration
        self.clock = clock
        transcript = StreamingTranscript(rule: configuration.rule)
    }

    /// Stream time between partials from now on; nil: finals only.
    package func adjust(partialInterval: MediaTime?) { configuration.partialInterval = partialInterval }

    /// Takes the next piece. Legal only while `work` has nothing to do.
    package func take(_ piece: UtterancePiece) -> [TranscriptUpdate] {
        precondition(activity == .listening && waiting.isEmpty, "a piece was given to a busy transcriber")
        switch piece.content {
        case .began(let start, let onset):
            utterance = Utterance(id: piece.utterance, start: start)
            transcript.reset()
            recogniser.reset()
            return [.started(piece.utterance, at: onset)]
        case .samples(let samples):
            waiting = samples[...]
            return []
        case .ended(let cause, let end, let decidedAt):
            guard var current = utterance else { return [] }
            current.endedAt = clock.wall()
            current.end = end
            utterance = current
            let kept = min(current.heard, max(0, (end - current.start).samples(rateHz: rateHz)))
            recogniser.truncate(toSamples: kept)
            activity = .final
            recogniser.begin(transcript.draft, isFinal: true)
            return [.stopped(current.id, at: decidedAt, cause)]
        }
    }

    /// Does one quantum. `more` is false once all that was taken is worked off.
    package func work() throws -> (updates: [TranscriptUpdate], more: Bool) {
        switch activity {
        case .listening:
            appendUpToNextPartial()
            return ([], activity != .listening || !waiting.isEmpty)
        case .partial:
            guard let hypothesis = try recogniser.advance() else { return ([], true) }
            activity = .listening
            return (partial(hypothesis).map { [$0] } ?? [], !waiting.isEmpty)
        case .final:
            guard let hypothesis = try recogniser.advance() else { return ([], true) }
            activity = .listening
            return ([conclude(hypothesis)], false)
        }
    }

    /// The program ends: an open utterance is given up, with what was shown of it.
    package func shutDown() -> [TranscriptUpdate] {
        guard let current = utterance else { return [] }
        recogniser.abandon()
        (utterance, waiting, activity) = (nil, [], .listening)
        return [.discarded(current.id, .shutdown, committed: shownCommitted)]
    }

    /// What is open is to be forgotten: it ends here and gets no text, but for what was shown of it.
    package func forget() -> [TranscriptUpdate] {
        guard let current = utterance else { return [] }
        recogniser.abandon()
        (utterance, waiting, activity) = (nil, [], .listening)
        var updates = [TranscriptUpdate.discarded(current.id, .silence, committed: shownCommitted)]
        if current.end == nil { updates.insert(.stopped(current.id, at: heardEnd(current), .mute), at: 0) }
        transcript.reset()
        recogniser.reset()
        return updates
    }

    private var shownCommitted: String? { transcript.committed.isEmpty ? nil : transcript.committedText }

    private func appendUpToNextPartial() {
        guard var current = utterance, !waiting.isEmpty else { return waiting = [] }
        var count = waiting.count
        var reachesPartial = false
        if let interval = configuration.partialInterval?.samples(rateHz: rateHz), interval > 0 {
            let next = (current.heard / interval + 1) * interval
            if next - current.heard <= count { (count, reachesPartial) = (next - current.heard, true) }
        }
        let part = Array(waiting.prefix(count))
        recogniser.append(part.span)
        waiting = waiting.dropFirst(count)
        current.heard += count
        utterance = current
        if reachesPartial, clock.lag(heardEnd(current)) <= configuration.lagLimit {
            activity = .partial
            recogniser.begin(transcript.draft, isFinal: false)
        }
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

extension Word {
    /// The same word on a time line that began `offset` earlier.
    package func shifted(by offset: MediaTime) -> Word {
        var word = self
        word.start += offset
        word.end += offset
        return word
    }
}
