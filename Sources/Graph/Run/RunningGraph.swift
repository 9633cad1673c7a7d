import Synchronization

/// A graph with all its stages made, from first packet to last.
///
/// ```
///   build ─► run ──► (start) sources send ─► (they end, or stop) ─► workers finish, downstream ─► run returns
/// ```
/// Whoever owns the graph calls `run` in a task; `start`, `stop`, `status` and `control` may be called from anywhere.
package final class RunningGraph: Sendable {
    private struct State {
        var drainTime = RunningGraph.standardDrainTime
        var failure: GraphError?
        var isRun = false
    }

    /// How long stages may go on after a stop, unless told otherwise.
    package static let standardDrainTime = Duration.seconds(30)

    package let topology: Topology
    package let clock: StreamClock
    private let lane: ComputeLane
    private let sources: [(source: any Source, output: SourceOutput)]
    private let life: Life
    private let onFailure: @Sendable (StageID, any Error) -> Void

    /// The doors a graph passes through, and its first failure.
    private final class Life: Sendable {
        let state = Mutex(State())
        let started = Gate()
        let stopping = Gate()
        let ended = Gate()

        func fail(_ error: GraphError) {
            state.withLock { if $0.failure == nil { $0.failure = error } }
            stopping.open()
        }
    }

    /// Makes the stages; models load here.
    ///
    /// - Parameter onFailure: hears of each stage that fails while the graph runs, on any thread.
    /// - Throws: `stageFailed` for the first stage that cannot be made.
    package init(
        _ topology: Topology, clock: StreamClock = StreamClock(),
        onFailure: @escaping @Sendable (StageID, any Error) -> Void = { _, _ in }
    ) async throws(GraphError) {
        let life = Life()
        let lane = ComputeLane(clock: clock) { stage, error in
            life.fail(.stageFailed(stage: stage, underlying: error))
            onFailure(stage, error)
        }
        self.topology = topology
        self.clock = clock
        self.lane = lane
        self.life = life
        self.onFailure = onFailure
        sources = try await lane.build(topology)
    }

    /// Lets the sources run: stream time 0 is now.
    package func start() {
        clock.start()
        life.started.open()
    }

    /// Ends the sources and lets what they sent go through, so that open utterances get their final. Returns at once.
    ///
    /// - Parameter drainTime: after it, `run` gives up and throws `notDrained`.
    package func requestStop(within drainTime: Duration = standardDrainTime) {
        life.state.withLock { $0.drainTime = drainTime }
        life.stopping.open()
        life.started.open()
    }

    /// Stops, and returns when `run` is about to return.
    package func stop(within drainTime: Duration = standardDrainTime) async {
        requestStop(within: drainTime)
        if life.state.withLock({ $0.isRun }) { await life.ended.wait() }
    }

    /// Returns when the graph has ended.
    package func waitUntilEnded() async { await life.ended.wait() }

    package func status() async -> GraphStatus { await lane.status() }

    /// Gives an order to a stage, between quanta.
    /// - Returns: false if there is no such worker, or it has ended.
    package func control(_ control: StageControl, of stage: StageID) async -> Bool {
        await lane.control(control, of: stage)
    }

    /// Runs the graph to its end. Call it once.
    ///
    /// Cancelling its task ends it at once, with nothing drained; `stop` is the gentle way.
    /// - Throws: the first `stageFailed`, else `notDrained`.
    package func run() async throws(GraphError) {
        let isFirst = life.state.withLock { state in
            defer { state.isRun = true }
            return !state.isRun
        }
        precondition(isFirst, "a graph runs once")
        await withTaskCancellationHandler {
            await withTaskGroup(of: Bool.self) { group in
                group.addTask { await self.runLane() }
                group.addTask { await self.runSources() }
                group.addTask { await self.watchDrain() }
                for await isOver in group where isOver { group.cancelAll() }
            }
        } onCancel: {
            requestStop()
        }
        life.ended.open()
        if let failure = life.state.withLock({ $0.failure }) { throw failure }
    }

    /// True: the graph is over.
    private func runLane() async -> Bool {
        await life.started.wait()
        await lane.run()
        let unfinished = await lane.unfinished
        if !unfinished.isEmpty { life.fail(.notDrained(stages: unfinished)) }
        for (_, output) in sources { output.inlet.close() }
        life.stopping.open()
        return true
    }

    private func runSources() async -> Bool {
        await life.started.wait()
        await withTaskGroup { group in
            for (source, output) in sources {
                group.addTask { await self.run(source, output) }
            }
            await life.stopping.wait()
            for (source, _) in sources { source.stop() }
            group.cancelAll()
        }
        return false
    }

    private func run(_ source: any Source, _ output: SourceOutput) async {
        var failure: (any Error)?
        if !life.stopping.isOpen {
            do {
                try await source.run(output)
            } catch {
                failure = error is CancellationError && life.stopping.isOpen ? nil : error
            }
        }
        output.inlet.close(failed: failure != nil)
        if let failure {
            life.fail(.stageFailed(stage: output.source, underlying: failure))
            onFailure(output.source, failure)
        }
    }

    /// True: the time for draining is over.
    private func watchDrain() async -> Bool {
        await life.stopping.wait()
        do {
            try await clock.sleep(for: life.state.withLock { $0.drainTime })
            return true
        } catch {
            return false
        }
    }
}
