import Media
import Synchronization
import TestSupport
import Testing

@testable import Graph

/// Muting, pausing and flushing a graph that runs.
struct SourceOrderTests {
    /// A live source that sends what a test puts.
    private final class Tap: Source {
        let notes: AsyncStream<Int>
        let put: AsyncStream<Int>.Continuation
        let sent = Atomic(0)
        /// While it is set, whoever is offered a note is long at it.
        let isHeld = Atomic(false)

        init() { (notes, put) = AsyncStream.makeStream() }

        func run(_ output: SourceOutput) async throws {
            var position = MediaTime.zero
            for await note in notes {
                position += MediaTime(milliseconds: 10)
                position += await output.waitWhilePaused()
                await output.send(Note(number: note), reaching: position)
                sent.store(note, ordering: .releasing)
            }
        }
    }

    /// Writes down what it is given and told to do.
    private final class Scribe: Worker {
        let urgency = Urgency.signal
        let journal: Journal
        let tap: Tap

        init(_ journal: Journal, _ tap: Tap) { (self.journal, self.tap) = (journal, tap) }

        func offer(_ packet: Packet) throws {
            journal.add("\(try packet.value(as: Note.self).number)")
            while tap.isHeld.load(ordering: .acquiring) {}
        }
        func work(_ output: Output) -> Progress { .idle }
        func control(_ control: StageControl) { journal.add("\(control)") }
    }

    private let journal = Journal()
    private let tap = Tap()

    private func withGraph(_ pace: SourcePace, _ body: (RunningGraph) async throws -> Void) async throws {
        let (tap, journal) = (tap, journal)
        let registry = StageRegistry([
            StageKind(name: "tap", summary: "", output: Note.port, pace: { _ in pace }, make: { _, _ in .source(tap) }),
            StageKind(
                name: "scribe", summary: "", inputs: [Note.port], make: { _, _ in .worker(Scribe(journal, tap)) })
        ])
        let text = "stages:\n  in: { kind: tap }\n  out: { kind: scribe, from: in }\n"
        let graph = try await RunningGraph(try Topology.parse(text, file: "t.yaml", registry: registry))
        try await withThrowingTaskGroup { group in
            group.addTask { try await graph.run() }
            graph.start()
            try await body(graph)
            tap.put.finish()
            try await group.waitForAll()
        }
    }

    /// Puts a note and waits until it is written down.
    private func put(_ note: Int) async {
        tap.put.yield(note)
        while !journal.holds("\(note)") { await Task.yield() }
    }

    @Test func `nothing of a muted source comes through, and what came before comes before the order`() async throws {
        try await withGraph(.live) { graph in
            await put(1)
            await graph.mute(true, "in")
            #expect(
                graph.sourceStates == [.init(id: "in", kind: "tap", hasEnded: false, isMuted: true, isPaused: false)])
            for note in 2...20 { tap.put.yield(note) }
            while tap.sent.load(ordering: .acquiring) < 20 { await Task.yield() }
            await graph.mute(false, "in")
            await put(21)
            #expect(journal.all == ["1", "mute(true)", "mute(false)", "21"])
        }
    }

    @Test func `what was sent while a worker was long at work comes before the order too`() async throws {
        try await withGraph(.live) { graph in
            tap.isHeld.store(true, ordering: .releasing)
            for note in 1...3 { tap.put.yield(note) }
            while tap.sent.load(ordering: .acquiring) < 3 || !journal.holds("1") { await Task.yield() }
            async let order: Void = graph.mute(true, "in")
            while !graph.sourceStates[0].isMuted { await Task.yield() }
            for _ in 0..<1_000 { await Task.yield() }  // until the order waits
            tap.isHeld.store(false, ordering: .releasing)
            await order
            #expect(journal.all == ["1", "2", "3", "mute(true)"])
        }
    }

    @Test func `to forget comes before to be silent`() async throws {
        try await withGraph(.live) { graph in
            await put(1)
            await graph.mute(true, "in", forgetting: true)
            #expect(journal.all == ["1", "forget", "mute(true)"])
        }
    }

    @Test func `a paused recording stands still and loses nothing`() async throws {
        try await withGraph(.paced) { graph in
            await put(1)
            await graph.pause()
            #expect(graph.isPaused && graph.sourceStates[0].isPaused)
            tap.put.yield(2)
            for _ in 0..<1_000 { await Task.yield() }
            #expect(journal.all == ["1", "flush"])
            graph.resume()
            await put(3)
            #expect(journal.all == ["1", "flush", "2", "3"])
        }
    }

    @Test func `a paused graph stops all the same`() async throws {
        try await withGraph(.paced) { graph in
            await put(1)
            await graph.pause()
            tap.put.yield(2)
            graph.requestStop()
        }
        #expect(journal.all.starts(with: ["1", "flush"]), "what it held comes at most")
    }

    @Test func `flush reaches what is behind the source`() async throws {
        try await withGraph(.live) { graph in
            await put(1)
            await graph.flush("in")
            await graph.flush("nobody")
            await put(2)
            #expect(journal.all == ["1", "flush", "2"])
        }
    }
}
