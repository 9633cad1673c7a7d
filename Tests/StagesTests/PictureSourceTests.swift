import Events
import Foundation
import Graph
import Kernels
import Media
import Stages
import Synchronization
import TestSupport
import Testing

/// `image_files` and `test_pattern` within a graph.
struct PictureSourceTests {
    private final class Seen: Sendable {
        private let list = Mutex<[(frame: VideoFrame, at: MediaTime)]>([])
        var all: [(frame: VideoFrame, at: MediaTime)] { list.withLock { $0 } }
        func add(_ frame: VideoFrame, at time: MediaTime) { list.withLock { $0.append((frame, time)) } }
    }

    private final class Watcher: Worker {
        let urgency = Urgency.picture
        let seen: Seen
        let clock: StreamClock
        init(_ seen: Seen, _ clock: StreamClock) { (self.seen, self.clock) = (seen, clock) }
        func offer(_ packet: Packet) throws {
            seen.add(try packet.value(as: VideoFrame.self), at: clock.now(packet.origin))
        }
        func work(_ output: Output) -> Graph.Progress { .idle }
    }

    private final class Said: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private let said = Said()
    private let environment: StageEnvironment

    init() {
        let said = said
        environment = StageEnvironment(
            models: EmptyStore(), sink: RecordingSink(), pool: ThreadPool(threads: 1), report: { said.add($0) })
    }

    private func topology(_ stages: String, seen: Seen) throws -> Topology {
        let watch = StageKind(
            name: "watch", summary: "keeps pictures", inputs: [VideoFrame.port], acceptsManyInputs: true,
            make: { _, context in .worker(Watcher(seen, context.clock)) })
        let registry = StageRegistry(StageRegistry.standard(environment).kinds + [watch])
        return try Topology.parse("stages:\n" + stages, file: "pictures.yaml", registry: registry)
    }

    private func run(_ stages: String, clock: StreamClock = StreamClock()) async throws -> Seen {
        let seen = Seen()
        let graph = try await RunningGraph(try topology(stages, seen: seen), clock: clock)
        graph.start()
        try await graph.run()
        return seen
    }

    @Test func `a fast pattern runs through at once and every picture arrives`() async throws {
        let seen = try await run(
            """
              made:  { kind: test_pattern, size: 64x48, fps: 30, duration_s: 10, pace: fast }
              watch: { kind: watch, from: made }
            """)
        #expect(seen.all.count == 300)
        #expect(seen.all.allSatisfy { $0.frame.time == $0.at })
        #expect(environment.frames.latest(of: "made")?.time == seen.all.last?.frame.time)
    }

    @Test func `a paced pattern gives each picture at its time`() async throws {
        let clock = ManualClock()
        let seen = Seen()
        let graph = try await RunningGraph(
            try topology(
                """
                  made:  { kind: test_pattern, size: 64x48, fps: 4, duration_s: 2 }
                  watch: { kind: watch, from: made }
                """, seen: seen), clock: StreamClock(clock))
        graph.start()
        async let running: Void = graph.run()
        // The first is due at once; each other one is waited for.
        for index in 1..<8 {
            await clock.waitForSleepers()
            #expect(environment.frames.latest(of: "made")?.time == MediaTime(milliseconds: (index - 1) * 250))
            clock.advance(by: .milliseconds(250))
        }
        try await running
        #expect(seen.all.map(\.frame.time.milliseconds) == (0..<8).map { $0 * 250 })
    }

    @Test(.enabled(if: RealData.shared("images") != nil, "needs ../shared/data/images"))
    func `several sources run at once and say what they left out`() async throws {
        let data = try #require(RealData.shared("images"))
        let seen = try await run(
            """
              cuts:    { kind: image_files, path: "\(data)/seq_cuts", fps: 2, pace: fast }
              stream:  { kind: image_files, path: "\(data)/cockatoo.mjpeg", fps: 30, pace: fast }
              damaged: { kind: image_files, path: "\(data)/awkward/stream_cut_frame.mjpeg", fps: 1, pace: fast }
              watch:   { kind: watch, from: [cuts, stream, damaged] }
            """)
        #expect(seen.all.count == 18 + 28 + 7)
        #expect(environment.frames.latest(of: "cuts")?.time == MediaTime(milliseconds: 8_500))
        #expect(said.all.count == 2)
        #expect(said.all.last?.hasPrefix("damaged: ") == true && said.all.last?.contains("1 damaged") == true)
    }

    @Test func `what is not there is a note of a check and an error of a run`() async throws {
        let stages = """
              images: { kind: image_files, path: /nowhere/at/all.jpg }
              watch:  { kind: watch, from: images }
            """
        let topology = try topology(stages, seen: Seen())
        #expect(topology.notes().count == 1)
        #expect(topology.notes().first?.contains("/nowhere/at/all.jpg") == true)
        await #expect(throws: GraphError.self) { try await RunningGraph(topology) }
    }

    @Test(arguments: ["fps: 0", "fps: -5", "fps: many", "pace: slow", "loop: maybe", "size: 640x480"])
    func `settings that make no sense are refused`(setting: String) {
        #expect(throws: TopologyError.self) {
            try topology(
                "  images: { kind: image_files, path: a.jpg, \(setting) }\n  watch: { kind: watch, from: images }\n",
                seen: Seen())
        }
    }
}
