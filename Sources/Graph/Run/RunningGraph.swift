import Synchronization

/// A graph with all its stages made, from first packet to last.
///
/// ```
///   build ─► run ──► (start) sources send ─► (they end, or stop) ─► workers finish, downstream ─► run returns
/// ```
/// Whoever owns the graph calls `run` in a task; `start`, `stop`, `status` and `control` may be called from anywhere.
package final class RunningGraph: Sendable {
    struct State {
        var drainTime = RunningGraph.standardDrainTime
        var failure: GraphError?
        var isRun = false
        var topology: Topology
        /// Those that run or are to run.
        var sources: [SourceRun] = []
        var isPaused = false
    }

    /// How long stages may go on after a stop, unless told otherwise.
    package static let standardDrainTime = Duration.seconds(30)

    package let clock: StreamClock
    let lane: ComputeLane
    let life: Life
    private let onFailure: @Sendable (StageID, any Error) -> Void

    /// The doors a graph passes through, its sources, and its first failure.
    final class Life: Sendable {
        let state: Mutex<State>
        let started = Gate()
        let stopping = Gate()
        let ended = Gate()
        /// Sources that are to be run.
        let launches: AsyncStream<SourceRun>
        private let launcher: AsyncStream<SourceRun>.Continuation

        init(_ topology: Topology) {
            state = Mutex(State(topology: topology))
            (launches, launcher) = AsyncStream.makeStream()
        }

        func launch(_ sources: [MadeSource]) {
            let runs = sources.map(SourceRun.init)
            state.withLock { state in
                state.sources += runs
                if state.isPaused { for run in runs { run.output.inlet.pause() } }
            }
            for run in runs { launcher.yield(run) }
        }

        func launchNoMore() { launcher.finish() }

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
        let life = Life(topology)
        let lane = ComputeLane(clock: clock) { stage, error in
            life.fail(.stageFailed(stage: stage, underlying: error))
            onFailure(stage, error)
        }
        self.clock = clock
        self.lane = lane
        self.life = life
        self.onFailure = onFailure
        life.launch(try await lane.build(topology))
    }

    /// What runs now; it changes with `reload`.
    package var topology: Topology { life.state.withLock { $0.topology } }

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
        for run in life.state.withLock({ $0.sources }) { run.output.inlet.close() }
        life.stopping.open()
        return true
    }

    private func runSources() async -> Bool {
        await life.started.wait()
        await withTaskGroup { group in
            group.addTask {
                await self.life.stopping.wait()
                self.life.launchNoMore()
                for run in self.life.state.withLock({ $0.sources }) { run.end() }
            }
            for await run in life.launches { group.addTask { await self.run(run) } }
            group.cancelAll()
        }
        return false
    }

    private func run(_ run: SourceRun) async {
        var failure: (any Error)?
        if !life.stopping.isOpen {
            do {
                try await run.run()
            } catch {
                failure = error is CancellationError && run.isToEnd ? nil : error
            }
        }
        run.output.inlet.close(failed: failure != nil)
        run.ended.open()
        if let failure {
            life.fail(.stageFailed(stage: run.output.source, underlying: failure))
            onFailure(run.output.source, failure)
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
