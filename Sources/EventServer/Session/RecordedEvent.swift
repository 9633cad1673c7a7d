import Events

/// An event as the server keeps it: with its line, written once for all clients.
struct RecordedEvent {
    let event: Event
    /// The whole event on the wire, words included.
    let line: [UInt8]
    /// Without words or tentative text, where there are any: what those get who did not ask for them.
    private let shortLine: [UInt8]?
    /// Monotonic, so that a clock set at boot does not empty the ring.
    let uptimeMs: Int

    init(_ event: Event, uptimeMs: Int) {
        self.event = event
        self.line = event.wire.line
        self.uptimeMs = uptimeMs
        var short = event
        switch event.body {
        case .transcriptPartial(var partial) where !partial.tentative.isEmpty:
            partial.tentative = ""
            short.body = .transcriptPartial(partial)
        case .transcriptFinal(var final) where final.words != nil:
            final.words = nil
            short.body = .transcriptFinal(final)
        default:
            shortLine = nil
            return
        }
        shortLine = short.wire.line
    }

    /// The line for a client that asked for `detail`.
    func line(_ detail: Detail) -> [UInt8] {
        let isWhole = if case .transcriptPartial = event.body { detail.tentative } else { detail.words }
        return isWhole ? line : shortLine ?? line
    }

    /// How much of an event a client gets.
    struct Detail: Equatable {
        var tentative: Bool
        var words: Bool

        /// What two subscriptions of one client ask for together.
        func union(_ other: Detail) -> Detail {
            Detail(tentative: tentative || other.tentative, words: words || other.words)
        }
    }
}

extension EventBody {
    /// What an event tells about.
    enum Subject: Hashable {
        case utterance(Int), scene(Int), stats, model(String)
    }

    var subject: Subject? {
        switch self {
        case .transcriptPartial(let partial): .utterance(partial.utt)
        case .transcriptFinal(let final): .utterance(final.utt)
        case .transcriptDiscarded(let utt, _, _): .utterance(utt)
        case .sceneStarted(let moment), .sceneDelta(let moment, _): .scene(moment.scene)
        case .sceneFinal(let final): .scene(final.moment.scene)
        case .modelProgress(let model, _, _), .modelReady(let model, _): .model(model)
        case .stats: .stats
        default: nil
        }
    }

    /// Whether it tells what was heard or seen, rather than how the daemon is.
    var isContent: Bool {
        switch self {
        case .speechStarted, .speechStopped, .transcriptPartial, .transcriptFinal, .transcriptDiscarded,
            .sceneStarted, .sceneDelta, .sceneFinal, .answerDelta, .answerFinal:
            true
        default: false
        }
    }

    /// Whether the event tells all there is to know of its subject, so that older soft ones about it are worthless.
    /// A delta does not: it is the sum of all of them that makes a text.
    var isWhole: Bool {
        switch self {
        case .sceneStarted, .sceneDelta: false
        default: true
        }
    }

    /// A client too slow for everything loses these first.
    var isSoft: Bool {
        switch self {
        case .transcriptPartial, .sceneStarted, .sceneDelta, .modelProgress, .stats: true
        default: false
        }
    }
}
