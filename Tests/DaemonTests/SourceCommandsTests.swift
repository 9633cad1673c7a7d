import Daemon
import EventServer
import Events
import Graph
import Kernels
import Media
import Stages
import Synchronization
import Testing

/// `mute`, `unmute`, `pause`, `resume` and `flush` on a graph that runs.
struct SourceCommandsTests {
    private let sink = RecordingSink()
    private let orders = Listener.Orders()
    private let forgotten = RecordingSink()

    private struct Under {
        let graph: RunningGraph
        let commands: SourceCommands
        let watch: EventWatch
        let environment: StageEnvironment
    }

    private func withCommands(_ body: (Under) async throws -> Void) async throws {
        let topology = try Topology.parse(
            """
            stages:
              desk: { kind: silence }
              hall: { kind: silence }
              a: { kind: listener, from: desk }
              b: { kind: listener, from: hall }
            """, file: "t.yaml", registry: fakeRegistry(orders))
        let forgotten = forgotten
        try await withGraph(topology) { graph in
            let watch = EventWatch(sink)
            let environment = StageEnvironment(
                models: NoModels(), sink: watch, pool: ThreadPool(threads: 1), report: { _ in })
            let commands = SourceCommands(
                graph: graph, environment: environment, watch: watch, turnstile: Turnstile(),
                forget: { forgotten.emit(.stats([:]), src: $0) })
            try await body(Under(graph: graph, commands: commands, watch: watch, environment: environment))
        }
    }

    /// The muting that was told, without its time.
    private var told: [String] {
        zip(sink.sources, sink.bodies).compactMap { src, body in
            guard case .muteChanged(let isMuted, _, let seconds) = body else { return nil }
            return "\(src) \(isMuted)" + (seconds.map { " \($0)" } ?? "")
        }
    }

    @Test func `muting tells what changed and nothing twice`() async throws {
        try await withCommands { under in
            let reply = try await under.commands.mute(["src": "desk"])
            #expect(reply == ["sources": [["id": "desk", "muted": true]]])
            _ = try await under.commands.mute([:])
            #expect(told == ["desk true", "hall true"])
            #expect(under.graph.sourceStates.map(\.isMuted) == [true, true])
            let unmuted = try await under.commands.unmute([:])
            #expect(unmuted["sources"]?.array?.count == 2)
            _ = try await under.commands.unmute([:])
            #expect(told == ["desk true", "hall true", "desk false", "hall false"])
            #expect(orders.all.contains("a mute(true)") && orders.all.last == "b mute(false)")
        }
    }

    @Test func `a mute for a time ends by itself, unless another order came`() async throws {
        try await withCommands { under in
            _ = try await under.commands.mute(["src": "desk", "for_s": 0.01])
            while under.graph.sourceStates.contains(where: \.isMuted) { await Task.yield() }
            while told.count < 2 { await Task.yield() }
            #expect(told == ["desk true 0.01", "desk false"])
            _ = try await under.commands.mute(["src": "desk", "for_s": 3_600])
            _ = try await under.commands.unmute(["src": "desk"])
            _ = try await under.commands.mute(["src": "desk"])
            #expect(told.suffix(3) == ["desk true 3600.0", "desk false", "desk true"])
            under.commands.shutDown()
        }
    }

    @Test func `to forget reaches the stages, the pictures and those who come later`() async throws {
        try await withCommands { under in
            let frame = VideoFrame(
                time: .zero, size: PixelSize(width: 1, height: 1), format: .grey, bytesPerRow: 1, bytes: [0])
            under.environment.frames.put(frame, of: "desk")
            _ = try await under.commands.mute(["src": "desk", "forget": true])
            #expect(orders.all == ["a forget", "a mute(true)"])
            #expect(forgotten.sources == ["desk"])
            #expect(under.environment.frames.latest(of: "desk") == nil)
        }
    }

    @Test func `flush names the utterances whose final is to come`() async throws {
        try await withCommands { under in
            under.watch.emit(.speechStarted(utt: 3, atMs: 0), src: "desk")
            under.watch.emit(.speechStarted(utt: 4, atMs: 0), src: "hall")
            let (one, all) = (try await under.commands.flush(["src": "hall"]), try await under.commands.flush([:]))
            #expect(one == ["utts": [4]])
            #expect(all == ["utts": [3, 4]])
            #expect(orders.all == ["b flush", "a flush", "b flush"])
        }
    }

    @Test func `pause and resume hold for all`() async throws {
        try await withCommands { under in
            let paused = try await under.commands.pause()
            #expect(paused == ["paused": true])
            #expect(under.graph.sourceStates.map(\.isPaused) == [true, true])
            let resumed = try await under.commands.resume()
            #expect(resumed == ["paused": false])
            #expect(!under.graph.isPaused)
        }
    }

    @Test(
        arguments: [
            (["src": "door"], "src"), (["src": 1], "src"), (["for_s": 0], "for_s"), (["for_s": -1], "for_s"),
            (["for_s": "long"], "for_s"), (["for_s": 1e300], "for_s"), (["forget": 1], "forget")
        ] as [(JSONObject, String)])
    func `a bad field changes nothing and is named`(fields: JSONObject, field: String) async throws {
        try await withCommands { under in
            do throws(CommandError) {
                Issue.record("it was granted: \(try await under.commands.mute(fields))")
            } catch {
                #expect(error.code == .badValue && error.field == field)
            }
            #expect(sink.bodies.isEmpty && orders.all.isEmpty)
        }
    }
}
