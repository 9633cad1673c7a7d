import Events

/// The newest events, for those who come late. Bounded in number, age and bytes, whichever comes first.
struct ReplayRing {
    struct Limits {
        var events = 1_000
        var ageMs = 15 * 60 * 1_000
        var bytes = 1 << 20
    }

    private let limits: Limits
    private(set) var events: [RecordedEvent] = []
    private var bytes = 0

    init(limits: Limits) { self.limits = limits }

    mutating func append(_ event: RecordedEvent) {
        events.append(event)
        bytes += event.line.count
        trim(uptimeMs: event.uptimeMs)
    }

    /// Forgets what is too old at `uptimeMs`, too many or too large.
    mutating func trim(uptimeMs: Int) {
        var surplus = 0
        while surplus < events.count,
            events.count - surplus > limits.events || bytes > limits.bytes
                || uptimeMs - events[surplus].uptimeMs > limits.ageMs
        {
            bytes -= events[surplus].line.count
            surplus += 1
        }
        events.removeFirst(surplus)
    }

    /// Numbers of the events that tell what is still going on: speech without an end, the newest partial of an
    /// utterance without a final, all that was told of a scene without one.
    var ongoing: Set<Int> {
        var open: [Int: (started: Int?, partial: Int?)] = [:]
        var scenes: [Int: [Int]] = [:]
        for recorded in events {
            let seq = recorded.event.seq
            switch recorded.event.body {
            case .speechStarted(let utt, _): open[utt, default: (nil, nil)].started = seq
            case .speechStopped(let utt, _, _): open[utt]?.started = nil
            case .transcriptPartial(let partial): open[partial.utt, default: (nil, nil)].partial = seq
            case .transcriptFinal(let final): open[final.utt] = nil
            case .transcriptDiscarded(let utt, _, _): open[utt] = nil
            case .sceneStarted(let moment), .sceneDelta(let moment, _): scenes[moment.scene, default: []].append(seq)
            case .sceneFinal(let final): scenes[final.moment.scene] = nil
            default: break
            }
        }
        return Set(open.values.flatMap { [$0.started, $0.partial].compactMap(\.self) } + scenes.values.joined())
    }
}
