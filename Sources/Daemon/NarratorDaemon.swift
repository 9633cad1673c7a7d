import CShims
package import Catalog
import Dispatch
import EventServer
import Events
import Glibc
package import Graph
package import Kernels
package import Logging
import Media
import ServiceLifecycle
import Stages
import Synchronization

/// A daemon from its pipeline file to its end.
///
/// ```
/// prepare: file ─► topology ─► socket bound ─► stages made, models loaded
/// run:     server serves ─► clients awaited ─► sources start ─► … ─► sources stop ─► graph drains ─► server drains
/// ```
package final class NarratorDaemon: Sendable {
    package struct Configuration: Sendable {
        package var pipeline: String
        package var overrides: [Override] = []
        /// Path of the socket.
        package var socket: String
        /// End when all sources have ended and every event is out.
        package var once = false
        /// Sources wait until so many clients have subscribed.
        package var waitClients = 0
        package var threads: Int
        package var precision = Precision.int8
        package var version: String
        /// Users beside our own and root who may do more than look.
        package var controlUIDs: Set<UInt32> = []

        package init(pipeline: String, socket: String, threads: Int, version: String) {
            self.pipeline = pipeline
            self.socket = socket
            self.threads = threads
            self.version = version
        }
    }

    /// What an ordinary stop may take in all is 2 s: the graph gets most of it.
    static let graphDrainTime = Duration.milliseconds(1_200)
    static let clientDrainTime = Duration.milliseconds(400)
    /// A stage that computes cannot be interrupted: what is not over by then ends with the process.
    private static let patience = DispatchTimeInterval.milliseconds(1_850)
    /// After `once`, clients may take their time.
    static let onceDrainTime = Duration.seconds(5)

    private let configuration: Configuration
    private let logger: Logger
    private let server: EventServer
    private let graph: RunningGraph
    private let control: DaemonControl
    private let watch: EventWatch
    private let signals: StopSignals

    /// Reads the pipeline, binds the socket and loads the models. No source starts.
    ///
    /// - Throws: `TopologyError`, `EventServerError`, `GraphError`.
    package init(_ configuration: Configuration, store: ModelStore, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        let locator = StoreLocator(store)
        let control = DaemonControl(store: store)
        var serverConfiguration = EventServer.Configuration(
            path: configuration.socket, server: "narrator/\(configuration.version)", pipeline: { control.status })
        serverConfiguration.controlUIDs = configuration.controlUIDs
        let server = EventServer(configuration: serverConfiguration, commands: control, logger: logger)
        let watch = EventWatch(server)
        (self.control, self.watch, self.server) = (control, watch, server)
        signals = await StopSignals { server.removeSocket() }

        let environment = StageEnvironment(
            models: locator, sink: watch, pool: ThreadPool(threads: configuration.threads),
            precision: configuration.precision, report: { logger.warning("\($0)") },
            inform: { logger.info("\($0)") })
        let registry = StageRegistry.standard(environment)
        let text = try Topology.text(of: configuration.pipeline)
        let topology = try Topology.parse(
            text, file: configuration.pipeline, overrides: configuration.overrides, registry: registry)
        for warning in topology.warnings { logger.warning("\(warning)") }
        try Self.findModels(of: topology, in: locator)
        try server.bind()
        logger.info("serving \(configuration.socket)")
        graph = try await RunningGraph(topology) { stage, error in logger.error("stage '\(stage)' failed: \(error)") }
        let turnstile = Turnstile()
        control.attach(
            DaemonControl.Pipeline(
                graph: graph, watch: watch, devices: environment.devices,
                sight: SightCommands(graph: graph, environment: environment),
                ask: AskCommand(graph: graph, environment: environment),
                sources: SourceCommands(
                    graph: graph, environment: environment, watch: watch, turnstile: turnstile,
                    forget: { server.forget(src: $0) }),
                changes: PipelineCommands(
                    graph: graph, registry: registry, text: text, overrides: configuration.overrides,
                    turnstile: turnstile)))
        logger.info("pipeline '\(topology.name)' is ready, kernels: \(InstructionSet.active.rawValue)")
    }

    /// All models that a pipeline names, before anything is opened: whoever lacks two is told of both.
    private static func findModels(of topology: Topology, in locator: StoreLocator) throws {
        var missing: [any Error] = []
        for stage in topology.stages {
            for setting in stage.kind.settings {
                guard let model = stage.settings[setting.key]?.model else { continue }
                do { _ = try locator.locate(model) } catch { missing.append(error) }
            }
        }
        if let first = missing.first { throw ModelsMissing(first: first, all: missing) }
    }

    /// Runs until a signal, `quit`, or with `once` the end of all sources.
    /// - Throws: `GraphError` if a stage failed, `WeightsError.rewritten`.
    package func run() async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: ServerService(server: server, signals: signals, once: configuration.once)),
                    .init(
                        service: GraphService(
                            graph: graph, server: server, control: control, watch: watch, once: configuration.once,
                            waitClients: configuration.waitClients, logger: logger),
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: MemoryService()),
                    .init(
                        service: ModelWatch(control: control), successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                logger: Logger(label: "narrator.life") { _ in SwiftLogNoOpLogHandler() }))
        let stop: @Sendable () -> Void = { [signals, watch] in
            signals.stop(within: Self.patience) { watch.close() }
            Task { await group.triggerGracefulShutdown() }
        }
        control.onQuit(stop)
        signals.onStop(stop)
        signals.onReload { [control, logger] in
            Task {
                switch await control.reload() {
                case .success(let change): logger.notice("reloaded: \(change.jsonText)")
                case .failure(let error): logger.error("\(error)")
                }
            }
        }
        try await group.run()
        if let failure = control.failure { throw failure }
    }
}

/// Models that a pipeline needs and that are not there.
package struct ModelsMissing: Error, CustomStringConvertible {
    /// Decides how the program ends.
    package let first: any Error
    package let all: [any Error]

    package var description: String {
        var texts: [String] = []
        for text in all.map({ "\($0)" }) where !texts.contains(text) { texts.append(text) }
        return texts.joined(separator: "\n")
    }
}

/// Serves until the group ends; then every client gets what waits for it.
private struct ServerService: Service {
    let server: EventServer
    let signals: StopSignals
    let once: Bool

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            let isOver = once && !signals.isStopping
            Task { await server.drain(timeout: isOver ? NarratorDaemon.onceDrainTime : NarratorDaemon.clientDrainTime) }
        }
    }
}

/// Gives free memory back to the system. Large tensors come and go between small things that stay, such as events, and
/// of a heap like that the C library gives back nothing by itself: it grew by 2 MB a minute.
private struct MemoryService: Service {
    private static let interval = Duration.seconds(60)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { cshim_memory_trim() }
        }
    }
}

/// Runs the graph; ends with it only if told so.
private struct GraphService: Service {
    let graph: RunningGraph
    let server: EventServer
    let control: DaemonControl
    let watch: EventWatch
    let once: Bool
    let waitClients: Int
    let logger: Logger

    func run() async throws {
        let (outcomes, outcome) = AsyncStream.makeStream(of: GraphError?.self)
        await withGracefulShutdownHandler {
            if waitClients > 0 { await waitForClients() }
            if !Task.isShuttingDownGracefully { graph.start() }
            control.started()
            Task { outcome.yield(await failure()) }
            for await failure in outcomes {
                if let failure { judge(failure) }
                break
            }
            if !once, control.failure == nil { try? await gracefulShutdown() }
        } onGracefulShutdown: {
            graph.requestStop(within: NarratorDaemon.graphDrainTime)
            Task {
                // A quantum may last: nobody waits for its end.
                try? await Task.sleep(for: NarratorDaemon.graphDrainTime + .milliseconds(100))
                outcome.yield(.notDrained(stages: []))
            }
        }
        control.shutDown()
        watch.close()
    }

    private func failure() async -> GraphError? {
        do throws(GraphError) {
            try await graph.run()
            return nil
        } catch { return error }
    }

    /// Who asks us to stop asks us not to wait: that is no failure.
    private func judge(_ failure: GraphError) {
        if case .notDrained(let stages) = failure, Task.isShuttingDownGracefully {
            logger.warning("\(stages.isEmpty ? "Stopped before all was worked off." : "\(failure)")")
        } else {
            control.fail(failure)
        }
    }

    private func waitForClients() async {
        await withTaskGroup { group in
            group.addTask { await server.waitForSubscribers(waitClients) }
            group.addTask { try? await gracefulShutdown() }
            await group.next()
            group.cancelAll()
        }
    }
}
