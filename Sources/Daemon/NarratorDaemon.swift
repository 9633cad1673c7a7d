package import Catalog
import EventServer
import Glibc
package import Graph
package import Kernels
package import Logging
import Media
import ServiceLifecycle
import Stages
import Synchronization
import UnixSignals

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

        package init(pipeline: String, socket: String, threads: Int, version: String) {
            self.pipeline = pipeline
            self.socket = socket
            self.threads = threads
            self.version = version
        }
    }

    /// What an ordinary stop may take in all is 2 s: the graph gets most of it.
    static let graphDrainTime = Duration.milliseconds(1_400)
    static let clientDrainTime = Duration.milliseconds(400)
    /// After `once`, clients may take their time.
    static let onceDrainTime = Duration.seconds(5)

    private let configuration: Configuration
    private let logger: Logger
    private let server: EventServer
    private let graph: RunningGraph
    private let control: DaemonControl

    /// Reads the pipeline, binds the socket and loads the models. No source starts.
    ///
    /// - Throws: `TopologyError`, `EventServerError`, `GraphError`.
    package init(_ configuration: Configuration, store: ModelStore, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        let control = DaemonControl(store: store)
        self.control = control
        let serverConfiguration = EventServer.Configuration(
            path: configuration.socket, server: "narrator/\(configuration.version)",
            pipeline: { control.pipeline })
        server = EventServer(configuration: serverConfiguration, commands: control, logger: logger)
        let environment = StageEnvironment(
            models: StoreLocator(store), sink: server, pool: ThreadPool(threads: configuration.threads),
            precision: configuration.precision, report: { logger.warning("\($0)") })
        let topology = try Topology.load(
            configuration.pipeline, overrides: configuration.overrides, registry: .standard(environment))
        for warning in topology.warnings { logger.warning("\(warning)") }
        try Self.findModels(of: topology, in: StoreLocator(store))
        try server.bind()
        logger.info("serving \(configuration.socket)")
        graph = try await RunningGraph(topology) { stage, error in logger.error("stage '\(stage)' failed: \(error)") }
        control.attach(graph, environment)
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
    /// - Throws: `GraphError` if a stage failed.
    package func run() async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: ServerService(server: server, once: configuration.once)),
                    .init(
                        service: GraphService(
                            graph: graph, server: server, control: control, once: configuration.once,
                            waitClients: configuration.waitClients, logger: logger),
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "narrator.life") { _ in SwiftLogNoOpLogHandler() }))
        control.onQuit { await group.triggerGracefulShutdown() }
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
    let once: Bool

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            Task { await server.drain(timeout: once ? NarratorDaemon.onceDrainTime : NarratorDaemon.clientDrainTime) }
        }
    }
}

/// Runs the graph; ends with it only if told so.
private struct GraphService: Service {
    let graph: RunningGraph
    let server: EventServer
    let control: DaemonControl
    let once: Bool
    let waitClients: Int
    let logger: Logger

    func run() async throws {
        await withGracefulShutdownHandler {
            if waitClients > 0 { await waitForClients() }
            do throws(GraphError) {
                if !Task.isShuttingDownGracefully { graph.start() }
                control.started()
                try await graph.run()
            } catch {
                // Who asks us to stop asks us not to wait: that is no failure.
                if case .notDrained = error, Task.isShuttingDownGracefully {
                    logger.warning("\(error)")
                } else {
                    control.fail(error)
                }
            }
            await control.ended()
            if !once, control.failure == nil { try? await gracefulShutdown() }
        } onGracefulShutdown: {
            graph.requestStop(within: NarratorDaemon.graphDrainTime)
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
