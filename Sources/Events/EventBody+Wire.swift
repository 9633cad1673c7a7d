extension EventBody {
    /// The value of `event` on the wire.
    package var name: String {
        switch self {
        case .speechStarted: "speech.started"
        case .speechStopped: "speech.stopped"
        case .transcriptPartial: "transcript.partial"
        case .transcriptFinal: "transcript.final"
        case .transcriptDiscarded: "transcript.discarded"
        case .sceneStarted: "scene.started"
        case .sceneDelta: "scene.delta"
        case .sceneFinal: "scene.final"
        case .answerDelta: "answer.delta"
        case .answerFinal: "answer.final"
        case .deviceLost: "device.lost"
        case .deviceRestored: "device.restored"
        case .deviceOverrun: "device.overrun"
        case .muteChanged: "mute.changed"
        case .loadShed: "load.shed"
        case .modelProgress: "model.progress"
        case .modelReady: "model.ready"
        case .stats: "stats"
        }
    }

    /// The members behind `event`, `seq`, `ts` and `src`.
    package var members: JSONObject {
        switch self {
        case .speechStarted(let utt, let atMs): ["utt": .int(utt), "at_ms": .int(atMs)]
        case .speechStopped(let utt, let atMs, let cause):
            ["utt": .int(utt), "at_ms": .int(atMs), "cause": .string(cause.rawValue)]
        case .transcriptPartial(let partial): partial.members
        case .transcriptFinal(let final): final.members
        case .transcriptDiscarded(let utt, let reason, nil): ["utt": .int(utt), "reason": .string(reason.rawValue)]
        case .transcriptDiscarded(let utt, let reason, let committed?):
            ["utt": .int(utt), "reason": .string(reason.rawValue), "committed": .string(committed)]
        case .sceneStarted(let moment): moment.members
        case .sceneDelta(let moment, let text): moment.members(adding: text)
        case .sceneFinal(let final): final.members
        case .answerDelta(let ask, let text), .answerFinal(let ask, let text):
            ["ask": .int(ask), "text": .string(text)]
        case .deviceLost(let message, let atMs): ["message": .string(message), "at_ms": .int(atMs)]
        case .deviceRestored(let lostMs, let atMs), .deviceOverrun(let lostMs, let atMs):
            ["lost_ms": .int(lostMs), "at_ms": .int(atMs)]
        case .muteChanged(let isMuted, let atMs, nil): ["muted": .bool(isMuted), "at_ms": .int(atMs)]
        case .muteChanged(let isMuted, let atMs, let seconds?):
            ["muted": .bool(isMuted), "at_ms": .int(atMs), "for_s": .double(seconds)]
        case .loadShed(let level, let measures, let lagMs, let atMs):
            [
                "level": .int(level), "measures": .array(measures.map { .string($0) }), "lag_ms": .int(lagMs),
                "at_ms": .int(atMs)
            ]
        case .modelProgress(let model, let done, let total):
            ["model": .string(model), "done": .int(done), "total": .int(total)]
        case .modelReady(let model, let loadMs): ["model": .string(model), "load_ms": .int(loadMs)]
        case .stats(let counters): counters
        }
    }
}

extension PartialTranscript {
    var members: JSONObject {
        [
            "utt": .int(utt), "rev": .int(rev), "committed": .string(committed), "tentative": .string(tentative),
            "start_ms": .int(startMs), "end_ms": .int(endMs), "lag_ms": .int(lagMs)
        ]
    }

    /// The partial in a message of the socket; nil if a member is missing.
    package init?(wire: JSONValue) {
        guard let utt = wire["utt"]?.int, let rev = wire["rev"]?.int, let committed = wire["committed"]?.string,
            let tentative = wire["tentative"]?.string, let startMs = wire["start_ms"]?.int,
            let endMs = wire["end_ms"]?.int, let lagMs = wire["lag_ms"]?.int
        else { return nil }
        self.init(
            utt: utt, rev: rev, committed: committed, tentative: tentative, startMs: startMs, endMs: endMs,
            lagMs: lagMs)
    }
}

extension FinalTranscript {
    var members: JSONObject {
        var object: JSONObject = [
            "utt": .int(utt), "text": .string(text), "start_ms": .int(startMs), "end_ms": .int(endMs),
            "language": .string(language), "confidence": .double(thousandths(confidence))
        ]
        object["words"] = words.map { .array($0.map { .object($0.members) }) }
        object["model"] = .string(model)
        object["latency_ms"] = .int(latencyMs)
        return object
    }

    /// The final in a message of the socket; nil if a member is missing.
    package init?(wire: JSONValue) {
        guard let utt = wire["utt"]?.int, let text = wire["text"]?.string, let startMs = wire["start_ms"]?.int,
            let endMs = wire["end_ms"]?.int, let language = wire["language"]?.string,
            let confidence = wire["confidence"]?.double, let model = wire["model"]?.string,
            let latencyMs = wire["latency_ms"]?.int
        else { return nil }
        self.init(
            utt: utt, text: text, startMs: startMs, endMs: endMs, language: language, confidence: confidence,
            words: wire["words"]?.array?.compactMap(Word.init(wire:)), model: model, latencyMs: latencyMs)
    }
}

extension FinalTranscript.Word {
    var members: JSONObject {
        [
            "word": .string(text), "start_ms": .int(startMs), "end_ms": .int(endMs),
            "confidence": .double(thousandths(confidence))
        ]
    }

    init?(wire: JSONValue) {
        guard let text = wire["word"]?.string, let startMs = wire["start_ms"]?.int, let endMs = wire["end_ms"]?.int,
            let confidence = wire["confidence"]?.double
        else { return nil }
        self.init(text: text, startMs: startMs, endMs: endMs, confidence: confidence)
    }
}

/// Three digits are all a confidence can tell.
private func thousandths(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
