import Daemon
import Events
import Graph
import Kernels
import Media
import Stages
import Synchronization

struct NoModels: ModelLocator {
    struct Missing: Error {}
    func locate(_ reference: ModelReference) throws -> String { throw Missing() }
}

/// Keeps what is told.
final class RecordingSink: EventSink {
    private let told = Mutex<[(src: String, body: EventBody)]>([])

    func emit(_ body: EventBody, src: String) { told.withLock { $0.append((src, body)) } }

    var bodies: [EventBody] { told.withLock { $0.map(\.body) } }
    var sources: [String] { told.withLock { $0.map(\.src) } }
}

/// Runs until it is stopped and sends nothing.
struct Silence: Source {
    func run(_ output: SourceOutput) async throws { try await Task.sleep(for: .seconds(3_600)) }
}

/// Takes what it is given, and remembers what it was told to do.
final class Listener: Worker {
    /// What all of a graph were told.
    final class Orders: Sendable {
        private let orders = Mutex<[String]>([])
        func add(_ order: String) { orders.withLock { $0.append(order) } }
        var all: [String] { orders.withLock { $0 } }
    }

    let urgency = Urgency.signal
    private let stage: StageID
    private let orders: Orders

    init(_ stage: StageID, _ orders: Orders) { (self.stage, self.orders) = (stage, orders) }

    func offer(_ packet: Packet) {}
    func work(_ output: Output) -> Progress { .idle }
    func control(_ control: StageControl) { orders.add("\(stage) \(control)") }
    func adjust(_ settings: StageSettings) { orders.add("\(stage) level \(settings.integer("level"))") }
}

/// Kinds for pipelines without devices or models.
func fakeRegistry(_ orders: Listener.Orders) -> StageRegistry {
    StageRegistry([
        StageKind(
            name: "silence", summary: "", output: AudioBlock.port,
            settings: [.optional("colour", .string, default: .string("black"), "what changes nothing")],
            make: { _, _ in .source(Silence()) }),
        StageKind(
            name: "listener", summary: "", inputs: [AudioBlock.port], acceptsManyInputs: true,
            settings: [
                .optional("level", .integer(0...9), default: .integer(1), live: true, "how loud"),
                .optional("size", .integer(0...9), default: .integer(1), "how large")
            ],
            make: { _, context in .worker(Listener(context.stage, orders)) })
    ])
}

/// Runs `topology` while `body` does its work.
func withGraph(_ topology: Topology, _ body: (RunningGraph) async throws -> Void) async throws {
    let graph = try await RunningGraph(topology)
    try await withThrowingTaskGroup { group in
        group.addTask { try await graph.run() }
        graph.start()
        try await body(graph)
        graph.requestStop(within: .seconds(5))
        try await group.waitForAll()
    }
}
