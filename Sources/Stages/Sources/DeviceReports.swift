import Capture
package import Events
package import Graph
import Media
import Synchronization

/// What each device of a run delivers and how it is read, for `status`.
package final class DeviceReports: Sendable {
    private let reports = Mutex<[StageID: JSONObject]>([:])

    func put(_ report: JSONObject, of source: StageID) { reports.withLock { $0[source] = report } }

    func remove(_ source: StageID) { reports.withLock { $0[source] = nil } }

    /// nil for what is no device, or was not opened yet.
    package subscript(source: StageID) -> JSONObject? { reports.withLock { $0[source] } }
}

extension StageEnvironment {
    /// What happened to a device, as events and in the log.
    func tell(_ news: DeviceNews, of source: StageID) {
        switch news {
        case .lost(let message, let time):
            sink.emit(.deviceLost(message: message, atMs: time.milliseconds), src: source.name)
            report("'\(source)': \(message)")
        case .restored(let lost, let time):
            sink.emit(.deviceRestored(lostMs: lost.milliseconds, atMs: time.milliseconds), src: source.name)
            inform("'\(source)': it delivers again, \(lost) are missing")
        case .overrun(let lost, let time):
            sink.emit(.deviceOverrun(lostMs: lost.milliseconds, atMs: time.milliseconds), src: source.name)
            report("'\(source)': \(lost) were not taken in time and are missing; is the machine too busy?")
        case .obstacle(let message): report("'\(source)': \(message)")
        }
    }
}
