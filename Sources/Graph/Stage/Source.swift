package import Media

/// How the time of a source runs.
package enum SourcePace: String, Sendable {
    /// A device: values come when they come.
    case live
    /// Recorded, at the speed of a device.
    case paced
    /// Recorded, as fast as the graph takes it. Every link behind it waits, and time is the position it has reached.
    case fast
}

/// A stage that brings values into the graph.
package protocol Source: Sendable {
    /// Sends values until the source has ended or `stop` was called.
    ///
    /// Called once, when the graph starts. When the graph stops, the task is cancelled as well: a source that only
    /// sends and sleeps needs no `stop` of its own.
    /// - Throws: what made the source fail. A `CancellationError` after a stop is no failure.
    func run(_ output: SourceOutput) async throws

    /// Makes `run` return soon. May be called from any thread, more than once, and before `run`.
    func stop()
}

extension Source {
    package func stop() {}
}

/// Where a source sends.
package struct SourceOutput: Sendable {
    package let source: StageID
    package let pace: SourcePace
    package let clock: StreamClock
    let inlet: Inlet
    /// Stream time at which the source begins; not zero for one that came into a running graph. What counts its time
    /// from its own beginning adds it.
    package let begin: MediaTime

    /// The graph stops; asked within `Source.run`.
    package var isStopped: Bool { Task.isCancelled }

    /// The source is muted: what it sends goes nowhere, and it must not show it otherwise.
    package var isMuted: Bool { inlet.isMuted }

    /// Waits while the graph is paused. For recorded sources, which can stand still; a device cannot, and what it sends
    /// meanwhile is not taken.
    /// - Returns: how long that was in stream time.
    package func waitWhilePaused() async -> MediaTime {
        guard inlet.isPaused else { return .zero }
        let before = clock.now(source)
        await inlet.waitWhilePaused()
        return clock.now(source) - before
    }

    /// Sends to every reader; `position` is the stream time that the source has reached with it.
    ///
    /// Waits for room where a reader's queue waits: a device's own buffer takes up the slack and states its overruns.
    /// Where all readers' queues drop it never waits, and drops are counted.
    package func send(_ value: any PortValue, reaching position: MediaTime) async {
        if pace == .live && inlet.isPaused { return }
        await inlet.send(Packet(value, origin: source), reaching: position, at: clock.now)
    }
}
