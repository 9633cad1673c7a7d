package import Events
package import Graph
import Media
package import Scenes
package import Speech

extension StageKind {
    /// `events`: what subscribers get.
    static func events(_ environment: StageEnvironment) -> StageKind {
        StageKind(
            name: "events", summary: "Tells subscribers.",
            inputs: [Speech.TranscriptUpdate.port, SceneUpdate.port, Told.port], acceptsManyInputs: true,
            make: { _, _ in .worker(EventsWorker(sink: environment.sink)) })
    }
}

/// Maps what stages tell to events and hands them to the sink.
package final class EventsWorker: Worker {
    package let urgency = Urgency.signal
    private let sink: any EventSink

    package init(sink: any EventSink) { self.sink = sink }

    package func offer(_ packet: Packet) throws {
        let body =
            switch packet.value {
            case let update as SceneUpdate: EventBody(update)
            case AnswerUpdate.delta(let ask, let text): EventBody.answerDelta(ask: ask, text: text)
            case AnswerUpdate.final(let ask, let text): EventBody.answerFinal(ask: ask, text: text)
            default: EventBody(try packet.value(as: Speech.TranscriptUpdate.self))
            }
        sink.emit(body, src: packet.origin.name)
    }

    package func work(_ output: Output) -> Progress { .idle }
}

extension EventBody {
    package init(_ update: Speech.TranscriptUpdate) {
        switch update {
        case .started(let utterance, let at):
            self = .speechStarted(utt: utterance.number, atMs: at.milliseconds)
        case .stopped(let utterance, let at, let cause):
            self = .speechStopped(utt: utterance.number, atMs: at.milliseconds, cause: StopCause(cause))
        case .partial(let partial):
            self = .transcriptPartial(
                PartialTranscript(
                    utt: partial.utterance.number, rev: partial.revision, committed: partial.committed,
                    tentative: partial.tentative, startMs: partial.start.milliseconds, endMs: partial.end.milliseconds,
                    lagMs: partial.lag.milliseconds))
        case .final(let final):
            self = .transcriptFinal(
                FinalTranscript(
                    utt: final.utterance.number, text: final.text, startMs: final.start.milliseconds,
                    endMs: final.end.milliseconds, language: final.language, confidence: Double(final.confidence),
                    words: final.words.map {
                        .init(
                            text: $0.text, startMs: $0.start.milliseconds, endMs: $0.end.milliseconds,
                            confidence: Double($0.confidence))
                    },
                    model: final.model, latencyMs: final.latency.milliseconds))
        case .discarded(let utterance, let reason, let committed):
            self = .transcriptDiscarded(utt: utterance.number, reason: DiscardReason(reason), committed: committed)
        }
    }
}

extension EventBody {
    package init(_ update: SceneUpdate) {
        switch update {
        case .started(let scene): self = .sceneStarted(SceneMoment(scene))
        case .delta(let scene, let text): self = .sceneDelta(SceneMoment(scene), text: text)
        case .final(let final):
            self = .sceneFinal(
                FinalScene(
                    moment: SceneMoment(final.scene), text: final.text,
                    labels: final.labels.map {
                        $0.map { .init(name: $0.name, probability: Double($0.probability)) }
                    },
                    tokens: final.tokens, latencyMs: final.latency.milliseconds))
        }
    }
}

extension SceneMoment {
    fileprivate init(_ scene: Scene) {
        self.init(
            scene: scene.id.number, frameMs: scene.frameTime.milliseconds, reason: Reason(scene.reason))
    }
}

extension SceneMoment.Reason {
    fileprivate init(_ reason: SceneReason) {
        self =
            switch reason {
            case .first: .first
            case .change: .change
            case .interval: .interval
            case .ask: .ask
            }
    }
}

extension StopCause {
    fileprivate init(_ cause: EndCause) {
        self =
            switch cause {
            case .endpoint: .endpoint
            case .max: .max
            case .flush: .flush
            case .mute: .mute
            case .end: .end
            }
    }
}

extension DiscardReason {
    fileprivate init(_ reason: Speech.TranscriptUpdate.DiscardReason) {
        self =
            switch reason {
            case .silence: .silence
            case .loop: .loop
            case .lowConfidence: .lowConfidence
            case .shutdown: .shutdown
            }
    }
}
