/// What a server tells one client about its connection. It has no number: it is not part of the stream of events.
package enum ConnectionEvent: Equatable, Sendable {
    /// `count` events between `from` and `to` (both included) are lost to this client.
    case gap(from: Int, to: Int, count: Int, cause: GapCause)
    /// The last line of a connection.
    case bye(ByeCode)

    package enum GapCause: String, Sendable {
        /// The client read too slowly.
        case queue
        /// The replay ring no longer has them.
        case ring
        /// They belong to an earlier run of the daemon.
        case boot
    }

    package enum ByeCode: String, Sendable {
        case shutdown, slow
        case `protocol`
    }

    package var wire: JSONValue {
        switch self {
        case .gap(let from, let to, let count, let cause):
            [
                "event": "gap", "from": .int(from), "to": .int(to), "count": .int(count),
                "cause": .string(cause.rawValue)
            ]
        case .bye(let code): ["event": "bye", "code": .string(code.rawValue)]
        }
    }
}

/// The server's first words on a connection.
package struct Hello: Equatable, Sendable {
    package static let protocolVersion = 1

    package var server: String
    package var boot: String
    /// That of the newest event so far; 0 if there was none.
    package var seq: Int
    package var time: Timestamp
    package var role: String
    package var pipeline: String
    package var sources: [SourceStatus]
    package var limits: JSONObject

    package init(
        server: String, boot: String, seq: Int, time: Timestamp, role: String, pipeline: String,
        sources: [SourceStatus], limits: JSONObject
    ) {
        self.server = server
        self.boot = boot
        self.seq = seq
        self.time = time
        self.role = role
        self.pipeline = pipeline
        self.sources = sources
        self.limits = limits
    }

    package var wire: JSONValue {
        [
            "event": "hello", "proto": .int(Self.protocolVersion), "server": .string(server), "boot": .string(boot),
            "seq": .int(seq), "time": .string(time.description), "role": .string(role),
            "pipeline": .string(pipeline), "sources": .array(sources.map(\.wire)), "limits": .object(limits)
        ]
    }
}

/// One source stage as clients see it.
package struct SourceStatus: Equatable, Sendable {
    package var id: String
    package var kind: String
    /// A word such as `waiting`, `running`, `ended` or `lost`.
    package var state: String
    package var muted: Bool

    package init(id: String, kind: String, state: String, muted: Bool = false) {
        self.id = id
        self.kind = kind
        self.state = state
        self.muted = muted
    }

    package var wire: JSONValue {
        ["id": .string(id), "kind": .string(kind), "state": .string(state), "muted": .bool(muted)]
    }
}
