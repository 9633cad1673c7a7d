import Events
import Glibc
import Graph
import Media
import Stages

/// What `status` and `stats` say of the graph: how busy each stage is, and what was lost where.
struct DaemonReport {
    private let status: GraphStatus
    private let watch: EventWatch
    private let devices: DeviceReports

    init(_ status: GraphStatus, watch: EventWatch, devices: DeviceReports) {
        self.status = status
        self.watch = watch
        self.devices = devices
    }

    var wire: JSONValue {
        [
            "stream_ms": .int(status.streamTime.milliseconds), "lag_ms": .int(status.lag.milliseconds),
            "rss_bytes": .int(Self.residentBytes),
            "dropped": .int(status.links.reduce(0) { $0 + $1.dropped } + status.stages.reduce(0) { $0 + $1.dropped }),
            "overruns": .int(losses.reduce(0) { $0 + $1.overruns }),
            "lost_ms": .int(losses.reduce(0) { $0 + $1.lostMs }),
            "devices": .array(status.stages.compactMap(device)),
            "stages": .array(status.stages.map(stage)), "links": .array(status.links.map(link))
        ]
    }

    private var losses: [EventWatch.Losses] { status.stages.map { watch.losses(of: $0.id.name) } }

    private func stage(_ stage: GraphStatus.Stage) -> JSONValue {
        let losses = watch.losses(of: stage.id.name)
        return [
            "id": .string(stage.id.name), "kind": .string(stage.kind), "state": .string(stage.state.rawValue),
            "packets_in": .int(stage.packetsIn), "packets_out": .int(stage.packetsOut), "dropped": .int(stage.dropped),
            "overruns": .int(losses.overruns), "lost_ms": .int(losses.lostMs),
            "lag_ms": .int(stage.lag.milliseconds), "busy_ms": .int(stage.busy.milliseconds),
            "real_time_factor": .double((status.realTimeFactor(of: stage.id) * 10_000).rounded() / 10_000)
        ]
    }

    /// What a device delivers and how it is read; nil for other stages, and before it was opened.
    private func device(_ stage: GraphStatus.Stage) -> JSONValue? {
        devices[stage.id].map { report in
            var device: JSONObject = ["id": .string(stage.id.name)]
            for member in report.members { device[member.name] = member.value }
            return .object(device)
        }
    }

    private func link(_ link: GraphStatus.Link) -> JSONValue {
        [
            "from": .string(link.from.name), "to": .string(link.to.name), "capacity": .int(link.capacity),
            "when_full": .string(link.whenFull.rawValue), "queued": .int(link.queued),
            "high_water": .int(link.highWater), "dropped": .int(link.dropped)
        ]
    }

    /// Resident memory of this process, from the second field of /proc/self/statm.
    static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 128)
        guard fgets(&buffer, CInt(buffer.count), file) != nil else { return 0 }
        let fields = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
    }
}
