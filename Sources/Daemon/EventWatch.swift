package import Events
import Synchronization

/// Looks on as events pass from the stages to those who serve them: what is open, what was lost, which device is away.
///
/// So it can end what is open when the stages no longer can.
package final class EventWatch: EventSink {
    /// What a source lost.
    package struct Losses: Equatable, Sendable {
        package var overruns = 0
        package var lostMs = 0
    }

    fileprivate struct Open {
        let src: String
        var committed = ""
    }

    fileprivate struct State {
        var open: [Int: Open] = [:]
        var losses: [String: Losses] = [:]
        var away: Set<String> = []
        var isClosed = false
    }

    private let sink: any EventSink
    private let state = Mutex(State())

    package init(_ sink: any EventSink) { self.sink = sink }

    package func emit(_ body: EventBody, src: String) {
        state.withLock { state in
            if state.isClosed { return }
            state.note(body, src)
            sink.emit(body, src: src)
        }
    }

    /// Tells of each open utterance that it gets no text, with what was shown of it, and lets nothing pass after that.
    package func close() {
        state.withLock { state in
            if state.isClosed { return }
            for (utt, open) in state.open.sorted(by: { $0.key < $1.key }) {
                let committed = open.committed.isEmpty ? nil : open.committed
                sink.emit(.transcriptDiscarded(utt: utt, reason: .shutdown, committed: committed), src: open.src)
            }
            state.open = [:]
            state.isClosed = true
        }
    }

    /// Utterances of a source that have no final yet.
    package func open(of src: String) -> [Int] {
        state.withLock { $0.open.filter { $0.value.src == src }.keys.sorted() }
    }

    package func losses(of src: String) -> Losses { state.withLock { $0.losses[src] ?? Losses() } }

    /// The device has gone and is not back yet.
    package func isAway(_ src: String) -> Bool { state.withLock { $0.away.contains(src) } }
}

extension EventWatch.State {
    fileprivate mutating func note(_ body: EventBody, _ src: String) {
        switch body {
        case .speechStarted(let utt, _): open[utt] = EventWatch.Open(src: src)
        case .transcriptPartial(let partial): open[partial.utt]?.committed = partial.committed
        case .transcriptFinal(let final): open[final.utt] = nil
        case .transcriptDiscarded(let utt, _, _): open[utt] = nil
        case .deviceLost: away.insert(src)
        case .deviceRestored(let lostMs, _):
            away.remove(src)
            losses[src, default: .init()].lostMs += lostMs
        case .deviceOverrun(let lostMs, _):
            losses[src, default: .init()].overruns += 1
            losses[src, default: .init()].lostMs += lostMs
        default: break
        }
    }
}
