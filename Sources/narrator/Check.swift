import ArgumentParser
import Catalog
import Daemon
import Events
import Foundation
import Graph
import Kernels
import Stages

/// `narrator check`: judges a pipeline file.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say everything that is wrong with a pipeline file, or draw it.",
        discussion: "Judges the file only: a model, device or recording that is not there is a note.")

    @Argument(help: "The pipeline file.")
    var pipeline: String

    @Option(help: "Draw the graph instead: mermaid or dot.")
    var graph: GraphDrawing?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let environment = StageEnvironment(
            models: StoreLocator(.standard()), sink: NoSink(), pool: ThreadPool(threads: 1), report: { _ in })
        let topology: Topology
        do throws(TopologyError) {
            topology = try Topology.load(pipeline, registry: .standard(environment))
        } catch {
            throw CommandFailure(error)
        }
        if let graph {
            print(graph.text(of: topology), terminator: "")
            return
        }
        if common.quiet { return }
        for warning in topology.warnings { note("warning: \(warning)") }
        for text in topology.notes() { note("note: \(text)") }
        note("\(pipeline): \(topology.stages.count) stages, no problems")
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}

extension GraphDrawing: ExpressibleByArgument {}

/// Takes events nowhere: nothing runs.
private struct NoSink: EventSink {
    func emit(_ body: EventBody, src: String) {}
}
