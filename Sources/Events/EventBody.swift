/// What happened: the body of an `Event`. All times are whole milliseconds of stream time; `utt` and `scene` are unique
/// per boot.
///
/// A new event is one case here and one row in `name` and `members`.
package enum EventBody: Equatable, Sendable {
    case speechStarted(utt: Int, atMs: Int)
    case speechStopped(utt: Int, atMs: Int, cause: StopCause)
    case transcriptPartial(PartialTranscript)
    case transcriptFinal(FinalTranscript)
    /// The utterance ends without a final; `committed` is what had been shown of it.
    case transcriptDiscarded(utt: Int, reason: DiscardReason, committed: String? = nil)
    case sceneStarted(SceneMoment)
    /// `text` is what is new of the description.
    case sceneDelta(SceneMoment, text: String)
    case sceneFinal(FinalScene)
    /// `text` is what is new of the answer.
    case answerDelta(ask: Int, text: String)
    /// `text` is all of it.
    case answerFinal(ask: Int, text: String)
    case deviceLost(message: String, atMs: Int)
    /// The device is back; `lostMs` of its stream are missing.
    case deviceRestored(lostMs: Int, atMs: Int)
    /// We took the device's data too late: `lostMs` before `atMs` are missing.
    case deviceOverrun(lostMs: Int, atMs: Int)
    /// Nothing of the source is heard or seen any more, or everything again; `forSeconds`: until it ends by itself.
    case muteChanged(isMuted: Bool, atMs: Int, forSeconds: Double? = nil)
    /// The machine cannot keep up, or can again: `measures` are what is given up now, in order.
    case loadShed(level: Int, measures: [String], lagMs: Int, atMs: Int)
    /// `done` of `total` bytes of a model are read.
    case modelProgress(model: String, done: Int, total: Int)
    case modelReady(model: String, loadMs: Int)
    case stats(JSONObject)
}

/// Why an utterance ended.
package enum StopCause: String, Sendable, CaseIterable {
    case endpoint, max, flush, mute, end
}

/// Why an utterance got no final.
package enum DiscardReason: String, Sendable, CaseIterable {
    case silence, loop, lowConfidence = "low_confidence", shutdown
}

/// What is known of an utterance while it is spoken.
package struct PartialTranscript: Equatable, Sendable {
    package var utt: Int
    /// Counts the partials of this utterance.
    package var rev: Int
    /// Only ever grows within an utterance.
    package var committed: String
    /// May change; begins with its blank, so that `committed + tentative` is the text.
    package var tentative: String
    package var startMs: Int
    package var endMs: Int
    /// How far the text trails the sound.
    package var lagMs: Int

    package init(
        utt: Int, rev: Int, committed: String, tentative: String, startMs: Int, endMs: Int, lagMs: Int
    ) {
        self.utt = utt
        self.rev = rev
        self.committed = committed
        self.tentative = tentative
        self.startMs = startMs
        self.endMs = endMs
        self.lagMs = lagMs
    }
}

/// The last word on an utterance; it never changes.
package struct FinalTranscript: Equatable, Sendable {
    package struct Word: Equatable, Sendable {
        package var text: String
        package var startMs: Int
        package var endMs: Int
        /// 0...1
        package var confidence: Double

        package init(text: String, startMs: Int, endMs: Int, confidence: Double) {
            self.text = text
            self.startMs = startMs
            self.endMs = endMs
            self.confidence = confidence
        }
    }

    package var utt: Int
    /// Begins with the utterance's last `committed`, byte for byte.
    package var text: String
    package var startMs: Int
    package var endMs: Int
    /// Two letters, as Whisper names them.
    package var language: String
    /// 0...1
    package var confidence: Double
    /// Sent to those who ask for words.
    package var words: [Word]?
    package var model: String
    /// From the end of speech to this text.
    package var latencyMs: Int

    package init(
        utt: Int, text: String, startMs: Int, endMs: Int, language: String, confidence: Double, words: [Word]? = nil,
        model: String, latencyMs: Int
    ) {
        self.utt = utt
        self.text = text
        self.startMs = startMs
        self.endMs = endMs
        self.language = language
        self.confidence = confidence
        self.words = words
        self.model = model
        self.latencyMs = latencyMs
    }
}
