import Daemon
import EventServer
import Events
import Graph
import Kernels
import Media
import Scenes
import Signal
import Stages
import Synchronization
import Testing

/// `describe` and `snapshot` on a graph that runs.
struct SightCommandsTests {
    private let environment = StageEnvironment(
        models: NoModels(), sink: NoEvents(), pool: ThreadPool(threads: 1), report: { _ in })
    private let orders = Orders()

    private struct NoModels: ModelLocator {
        struct Missing: Error {}
        func locate(_ reference: ModelReference) throws -> String { throw Missing() }
    }

    private struct NoEvents: EventSink {
        func emit(_ body: EventBody, src: String) {}
    }

    /// What gates were told to do.
    private final class Orders: Sendable {
        let all = Mutex<[(gate: StageID, order: StageControl)]>([])
    }

    /// Runs until it is stopped; what it sees is put into the environment by the test.
    private struct Lens: Source {
        func run(_ output: SourceOutput) async throws { try await Task.sleep(for: .seconds(3_600)) }
    }

    private final class Gate: Worker {
        let urgency = Urgency.signal
        let stage: StageID
        let orders: Orders

        init(_ stage: StageID, _ orders: Orders) { (self.stage, self.orders) = (stage, orders) }

        func offer(_ packet: Packet) {}
        func work(_ output: Output) -> Progress { .idle }
        func control(_ control: StageControl) { orders.all.withLock { $0.append((stage, control)) } }
    }

    private final class Drain: Worker {
        let urgency = Urgency.signal
        func offer(_ packet: Packet) {}
        func work(_ output: Output) -> Progress { .idle }
    }

    private var registry: StageRegistry {
        let orders = orders
        return StageRegistry([
            StageKind(name: "lens", summary: "", output: VideoFrame.port, make: { _, _ in .source(Lens()) }),
            StageKind(name: "ear", summary: "", output: AudioBlock.port, make: { _, _ in .source(Lens()) }),
            StageKind(
                name: "gate", summary: "", inputs: [VideoFrame.port], output: SceneFrame.port,
                make: { _, context in .worker(Gate(context.stage, orders)) }),
            StageKind(
                name: "drain", summary: "", inputs: [SceneFrame.port, VideoFrame.port, AudioBlock.port],
                acceptsManyInputs: true, make: { _, _ in .worker(Drain()) })
        ])
    }

    private func withCommands(_ stages: String, _ body: (SightCommands) async throws -> Void) async throws {
        let topology = try Topology.parse("name: test\nstages:\n\(stages)", file: "test.yaml", registry: registry)
        let graph = try await RunningGraph(topology)
        try await withThrowingTaskGroup { group in
            group.addTask { try await graph.run() }
            graph.start()
            try await body(SightCommands(graph: graph, environment: environment))
            graph.requestStop(within: .seconds(5))
            try await group.waitForAll()
        }
    }

    private func put(_ source: StageID, _ width: Int = 64, _ height: Int = 48, ms: Int = 1_200) {
        environment.frames.put(
            VideoFrame(
                time: MediaTime(milliseconds: ms), size: PixelSize(width: width, height: height), format: .grey,
                bytesPerRow: width, bytes: [UInt8](repeating: 90, count: width * height)),
            of: source)
    }

    private let one = """
          camera:  { kind: lens }
          changes: { kind: gate, from: camera }
          end:     { kind: drain, from: changes }
        """
    private let two = """
          camera: { kind: lens }
          door:   { kind: lens }
          a:      { kind: gate, from: camera }
          b:      { kind: gate, from: door }
          end:    { kind: drain, from: [a, b] }
        """

    private func error(_ body: () async throws -> JSONValue) async -> CommandError? {
        do {
            Issue.record("it was granted: \(try await body())")
            return nil
        } catch {
            return error as? CommandError
        }
    }

    @Test func `describe has the newest picture told under a number of its own`() async throws {
        try await withCommands(one) { sight in
            put("camera")
            let scene = environment.nextScene().number + 1
            #expect(
                try await sight.describe([:])
                    == ["scenes": [["scene": .int(scene), "src": "camera"]], "scene": .int(scene)])
            #expect(try await sight.describe(["src": "camera"])["scene"] == .int(scene + 1))
            let told = orders.all.withLock { $0.map(\.order) }
            #expect(told == [.describe(scene: scene), .describe(scene: scene + 1)])
        }
    }

    @Test func `describe asks every gate, or those behind the source`() async throws {
        try await withCommands(two) { sight in
            put("camera")
            #expect(try await sight.describe([:])["scenes"]?.array?.count == 1, "the door has shown nothing yet")
            put("door")
            let both = try await sight.describe([:])
            #expect(both["scenes"]?.array?.map { $0["src"] } == ["camera", "door"])
            #expect(both["scene"] == nil)
            #expect(try await sight.describe(["src": "door"])["scenes"]?.array?.map { $0["src"] } == ["door"])
            #expect(orders.all.withLock { $0.map(\.gate) } == ["a", "a", "b", "b"])
        }
    }

    @Test func `describe says why it cannot and what to do`() async throws {
        try await withCommands("  ear: { kind: ear }\n  end: { kind: drain, from: ear }") { sight in
            let error = await error { try await sight.describe([:]) }
            #expect(error?.code == .notAvailable)
            #expect(error?.message.contains("scene_change") == true)
        }
        try await withCommands(one) { sight in
            let early = await error { try await sight.describe([:]) }
            #expect(early?.code == .notAvailable)
            #expect(early?.message.contains("'camera'") == true)
            let unknown = await error { try await sight.describe(["src": "dor"]) }
            #expect(unknown?.code == .notAvailable)
            #expect(unknown?.field == "src")
            #expect(unknown?.message.contains("'camera'") == true)
            let number = await error { try await sight.describe(["src": 1]) }
            #expect(number?.code == .badValue)
        }
        #expect(orders.all.withLock { $0.isEmpty })
    }

    @Test func `a snapshot is the last frame as a JPEG`() async throws {
        try await withCommands(one) { sight in
            put("camera", 320, 240, ms: 1_200)
            let shot = try await sight.snapshot([:])
            #expect(shot["src"] == "camera")
            #expect(shot["frame_ms"] == 1_200)
            #expect(shot["width"] == 320)
            #expect(shot["height"] == 240)
            #expect(shot["jpeg"]?.string?.hasPrefix("/9j/") == true)
            #expect(try await sight.snapshot(["src": "camera", "max_width": 100])["width"] == 100)
            put("camera", 4_000, 3_000)
            let large = try await sight.snapshot([:])
            #expect(JSONValue.object(["id": 7, "ok": true, "result": large]).line.count <= 65_536)
        }
    }

    @Test func `a snapshot says why it cannot and what to do`() async throws {
        try await withCommands(two) { sight in
            let several = await error { try await sight.snapshot([:]) }
            #expect(several?.field == "src")
            #expect(several?.message.contains("'camera', 'door'") == true)
            let early = await error { try await sight.snapshot(["src": "camera"]) }
            #expect(early?.code == .notAvailable)
            let unknown = await error { try await sight.snapshot(["src": "hall"]) }
            #expect(unknown?.field == "src")
            for width: JSONValue in [0, 15, -1, 1.5, "wide"] {
                let error = await error { try await sight.snapshot(["src": "camera", "max_width": width]) }
                #expect(error?.code == .badValue)
                #expect(error?.field == "max_width")
            }
            environment.frames.put(
                VideoFrame(
                    time: .zero, size: PixelSize(width: 2, height: 2), format: .mjpeg, bytesPerRow: 0, bytes: [1, 2]),
                of: "door")
            let broken = await error { try await sight.snapshot(["src": "door"]) }
            #expect(broken?.code == .failed)
        }
        try await withCommands("  ear: { kind: ear }\n  end: { kind: drain, from: ear }") { sight in
            let blind = await error { try await sight.snapshot([:]) }
            #expect(blind?.code == .notAvailable)
        }
    }
}
