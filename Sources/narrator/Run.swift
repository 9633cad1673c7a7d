import ArgumentParser
import Catalog
import Daemon
import EventServer
import Foundation
import Graph
import Logging

/// `narrator run`: the daemon, in the foreground.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run a pipeline and serve its events on a socket.")

    @Argument(help: "The pipeline file.")
    var pipeline: String

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Replace a setting of the file; may be given again.", valueName: "STAGE.KEY=VALUE"))
    var overrides: [String] = []

    @Option(help: ArgumentHelp("Where to serve.", valueName: "path"))
    var socket: String?

    @Flag(help: "End when all sources have ended and every event is out.")
    var once = false

    @Option(help: ArgumentHelp("Hold the sources until so many clients have subscribed.", valueName: "n"))
    var waitClients = 0

    @Option(
        name: .customLong("control-uid"), parsing: .singleValue,
        help: ArgumentHelp(
            "A user beside ours and root who may do more than look; may be given again.", valueName: "uid"))
    var controlUIDs: [UInt32] = []

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard waitClients >= 0 else { throw ValidationError("--wait-clients takes a number from 0 on") }
    }

    func run() async throws {
        LogOutput.start(common)
        do {
            var configuration = NarratorDaemon.Configuration(
                pipeline: pipeline, socket: try resolvedSocket, threads: try compute.threadCount,
                version: Narrator.version)
            configuration.overrides = overrides.map { Override($0) }
            configuration.once = once
            configuration.waitClients = waitClients
            configuration.controlUIDs = Set(controlUIDs)
            configuration.precision = compute.precision
            let daemon = try await NarratorDaemon(
                configuration, store: .standard(), logger: Logger(label: "narrator"))
            try await daemon.run()
        } catch {
            throw CommandFailure(describing: error)
        }
    }

    private var resolvedSocket: String {
        get throws { SocketPath.resolve(option: socket, environment: ProcessInfo.processInfo.environment) }
    }
}
