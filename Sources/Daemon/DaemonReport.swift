import Events
import Glibc
import Graph
import Media

/// What `status` and `stats` say of the graph: how busy each stage is, and what was lost where.
struct DaemonReport {
    private let status: GraphStatus
    private let topology: Topology

    init(_ status: GraphStatus, topology: Topology) {
        self.status = status
        self.topology = topology
    }

    var wire: JSONValue {
        [
            "pipeline": .string(topology.name), "stream_ms": .int(status.streamTime.milliseconds),
            "rss_bytes": .int(Self.residentBytes),
            "stages": .array(status.stages.map(stage)), "links": .array(status.links.map(link))
        ]
    }

    private func stage(_ stage: GraphStatus.Stage) -> JSONValue {
        [
            "id": .string(stage.id.name), "kind": .string(stage.kind), "state": .string(stage.state.rawValue),
            "packets_in": .int(stage.packetsIn), "packets_out": .int(stage.packetsOut), "dropped": .int(stage.dropped),
            "busy_ms": .int(stage.busy.milliseconds),
            "real_time_factor": .double((status.realTimeFactor(of: stage.id) * 10_000).rounded() / 10_000)
        ]
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
