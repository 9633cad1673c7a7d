package import Events
package import Media
import Synchronization

/// The `LoadPolicy` of a run: speech stages say how far they trail, others ask what to give up, subscribers are told.
package final class LoadGovernor: Sendable {
    private let policy = Mutex(LoadPolicy())
    private let sink: any EventSink
    private let report: @Sendable (String) -> Void

    /// Partials and scenes come so many times more seldom.
    package static let factor = 4
    /// Between two scenes, where they come more seldom, at least this much.
    package static let sceneInterval = MediaTime(milliseconds: 20_000)

    package init(sink: any EventSink, report: @escaping @Sendable (String) -> Void) {
        (self.sink, self.report) = (sink, report)
    }

    /// A stage can do with less.
    package func offer(_ measure: LoadPolicy.Measure) { policy.withLock { $0.offer(measure) } }

    package func isTaken(_ measure: LoadPolicy.Measure) -> Bool {
        policy.withLock { $0.measures.contains(measure) }
    }

    /// Text of the source trails its sound by `lag`; the source is at `time`.
    package func note(lag: MediaTime, at time: MediaTime, of source: String) {
        let changed = policy.withLock { policy in
            policy.advance(lag: lag, at: time) ? policy.measures.map(\.rawValue) : nil
        }
        guard let changed else { return }
        let given = changed.isEmpty ? "nothing" : changed.joined(separator: ", ")
        report("text trails by \(lag.milliseconds) ms; given up under load: \(given)")
        sink.emit(
            .loadShed(level: changed.count, measures: changed, lagMs: lag.milliseconds, atMs: time.milliseconds),
            src: source)
    }
}
