package import Events

/// A moment on both clocks.
package struct Moment: Sendable {
    package let time: Timestamp
    /// Monotonic, from any start.
    package let uptimeMs: Int

    package init(time: Timestamp, uptimeMs: Int) {
        self.time = time
        self.uptimeMs = uptimeMs
    }

    private static let start = ContinuousClock.now

    package static func now() -> Moment {
        Moment(time: .now(), uptimeMs: Int((ContinuousClock.now - start) / .milliseconds(1)))
    }
}

/// What `hello` and `status` tell of the pipeline.
package struct PipelineStatus: Sendable {
    package var name: String
    package var sources: [SourceStatus]

    package init(name: String, sources: [SourceStatus]) {
        self.name = name
        self.sources = sources
    }
}

extension EventServer {
    package struct Configuration: Sendable {
        /// The socket's path, as `SocketPath.resolve` gives it.
        package var path: String
        /// Name and version, as in `narrator/0.1.0`.
        package var server: String
        /// Users beside our own and root who get the role `control`.
        package var controlUIDs: Set<UInt32> = []
        /// Asked at each `hello` and `status`; must not block.
        package var pipeline: @Sendable () -> PipelineStatus
        package var clock: @Sendable () -> Moment = Moment.now

        var ring = ReplayRing.Limits()
        var outbox = Outbox.Limits()
        /// How long a client that is let go may take to read what waits for it and its `bye`.
        var closingGrace = Duration.seconds(5)
        let requestBytes = 64 << 10

        package init(path: String, server: String, pipeline: @escaping @Sendable () -> PipelineStatus) {
            self.path = path
            self.server = server
            self.pipeline = pipeline
        }

        var limits: JSONObject {
            [
                "request_bytes": .int(requestBytes), "ring_events": .int(ring.events), "ring_ms": .int(ring.ageMs),
                "ring_bytes": .int(ring.bytes), "outbox_lines": .int(outbox.lines), "outbox_bytes": .int(outbox.bytes)
            ]
        }
    }
}
