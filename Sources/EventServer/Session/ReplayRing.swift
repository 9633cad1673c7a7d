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
    /// Numbers that were taken out of the midst of `events`, rising.
    private var forgotten: [Int] = []
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
        guard surplus > 0 else { return }
        events.removeFirst(surplus)
        dropOldGaps()
    }

    /// Takes out what was heard and seen of a source.
    mutating func forget(src: String) {
        let unwanted = events.filter { $0.event.src == src && $0.event.body.isContent }
        bytes -= unwanted.reduce(0) { $0 + $1.line.count }
        forgotten = (forgotten + unwanted.map(\.event.seq)).sorted()
        events.removeAll { $0.event.src == src && $0.event.body.isContent }
        dropOldGaps()
    }

    /// What lies before the oldest event is missing anyway.
    private mutating func dropOldGaps() {
        let oldest = events.first?.event.seq ?? .max
        forgotten.removeAll { $0 < oldest }
    }

    /// The runs of numbers in `from...to` that are not here (any more); `to` is the newest there was.
    func missing(from: Int, to: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        let oldest = events.first?.event.seq ?? to + 1
        if oldest > from { runs.append(from..<oldest) }
        for seq in forgotten where seq >= max(from, oldest) {
            if runs.last?.upperBound == seq {
                runs[runs.count - 1] = runs[runs.count - 1].lowerBound..<seq + 1
            } else {
                runs.append(seq..<seq + 1)
            }
        }
        return runs
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
