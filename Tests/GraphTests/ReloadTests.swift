import Media
import Synchronization
import TestSupport
import Testing

@testable import Graph

/// A file that changes under a graph that runs.
struct ReloadTests {
    /// Sends its number for ever, a thousandth of a second apart.
    private struct Ticker: Source {
        let number: Int
        let journal: Journal

        func run(_ output: SourceOutput) async throws {
            journal.add("source \(number) begins")
            defer { journal.add("source \(number) ends") }  // also when it is ended in its sleep
            var position = output.begin
            while !output.isStopped {
                position += MediaTime(milliseconds: 1)
                try await output.clock.sleep(until: position)
                await output.send(Note(number: number), reaching: position)
            }
        }
    }

    /// Passes on, with its own word added; says when it begins, is adjusted and ends.
    private final class Adder: Worker {
        let urgency = Urgency.signal
        private var word: String
        private let name: String
        private let journal: Journal
        private var note: Note?

        init(_ name: String, _ word: String, _ journal: Journal) {
            (self.name, self.word, self.journal) = (name, word, journal)
            journal.add("\(name) begins")
        }

        func offer(_ packet: Packet) throws { note = try packet.value(as: Note.self) }

        func work(_ output: Output) -> Progress {
            if var note {
                note.path += word
                output.send(note)
            }
            note = nil
            return .idle
        }

        func adjust(_ settings: StageSettings) { word = settings.string("word") }
        func finish() { journal.add("\(name) ends") }
    }

    /// Keeps the newest of what arrives.
    private final class Last: Sendable {
        let note = Mutex(Note(number: 0))

        /// Returns when such a note has arrived.
        func wait(for wanted: Note) async { while note.withLock({ $0 }) != wanted { await Task.yield() } }
    }

    private final class Keeper: Worker {
        let urgency = Urgency.signal
        let last: Last
        init(_ last: Last) { self.last = last }
        func offer(_ packet: Packet) throws {
            let note = try packet.value(as: Note.self)
            last.note.withLock { $0 = note }
        }
        func work(_ output: Output) -> Progress { .idle }
    }

    private struct Unmakable: Error {}

    private let journal = Journal()
    private let last = Last()

    private var registry: StageRegistry {
        let (journal, last) = (journal, last)
        return StageRegistry([
            StageKind(
                name: "ticker", summary: "", output: Note.port,
                settings: [.required("number", .integer(0...9), "what it sends")], pace: { _ in .paced },
                make: { settings, _ in .source(Ticker(number: settings.integer("number"), journal: journal)) }),
            StageKind(
                name: "adder", summary: "", inputs: [Note.port], output: Note.port,
                settings: [
                    .optional("word", .string, default: .string("a"), live: true, "what it adds"),
                    .optional("fails", .boolean, default: .boolean(false), "cannot be made")
                ],
                make: { settings, context in
                    if settings.boolean("fails") { throw Unmakable() }
                    return .worker(Adder(context.stage.name, settings.string("word"), journal))
                }),
            StageKind(
                name: "keeper", summary: "", inputs: [Note.port], acceptsManyInputs: true,
                make: { _, _ in .worker(Keeper(last)) })
        ])
    }

    private func topology(_ number: Int = 1, _ adder: String = "", _ rest: String = "out: { kind: keeper, from: add }")
        throws -> Topology
    {
        try Topology.parse(
            """
            stages:
              in: { kind: ticker, number: \(number) }
              add: { kind: adder, from: in\(adder) }
              \(rest)
            """, file: "t.yaml", registry: registry)
    }

    private func withGraph(_ body: (RunningGraph) async throws -> Void) async throws {
        let graph = try await RunningGraph(try topology())
        try await withThrowingTaskGroup { group in
            group.addTask { try await graph.run() }
            graph.start()
            await last.wait(for: Note(number: 1, path: "a"))
            try await body(graph)
            graph.requestStop()
            try await group.waitForAll()
        }
    }

    @Test func `the same file changes nothing`() async throws {
        try await withGraph { graph in
            let change = try await graph.reload(try topology())
            #expect(change.isEmpty)
        }
        #expect(journal.all == ["add begins", "source 1 begins", "source 1 ends", "add ends"])
    }

    @Test func `a setting that may change does so in the stage that runs`() async throws {
        try await withGraph { graph in
            let change = try await graph.reload(try topology(1, ", word: b"))
            #expect(change.adjusted == ["add": ["word"]] && change.made.isEmpty && change.retired.isEmpty)
            await last.wait(for: Note(number: 1, path: "b"))
        }
        #expect(journal.all.filter { $0 == "add begins" }.count == 1)
    }

    @Test func `a source is replaced once the old one has ended, and the rest runs on`() async throws {
        try await withGraph { graph in
            let change = try await graph.reload(try topology(2))
            #expect(change.made == ["in"] && change.retired == ["in"])
            await last.wait(for: Note(number: 2, path: "a"))
            #expect(journal.all == ["add begins", "source 1 begins", "source 1 ends", "source 2 begins"])
            #expect(await graph.status().stages.allSatisfy { $0.state == .running })
        }
    }

    @Test func `stages come, go and are linked anew`() async throws {
        try await withGraph { graph in
            let more = "more: { kind: adder, from: add, word: c }\n  out: { kind: keeper, from: more }"
            #expect(try await graph.reload(try topology(1, "", more)).made == ["more"])
            await last.wait(for: Note(number: 1, path: "ac"))
            let back = try await graph.reload(try topology())
            #expect(back.made.isEmpty && back.retired == ["more"])
            await last.wait(for: Note(number: 1, path: "a"))
            #expect(journal.all == ["add begins", "source 1 begins", "more begins", "more ends"])
            #expect(graph.topology.stages.map(\.id) == ["in", "add", "out"])
        }
    }

    @Test func `a stage that cannot be made leaves everything as it was`() async throws {
        try await withGraph { graph in
            await #expect(throws: GraphError.self) { try await graph.reload(try topology(2, ", fails: true")) }
            last.note.withLock { $0 = Note(number: 0) }
            await last.wait(for: Note(number: 1, path: "a"))
            #expect(journal.all == ["add begins", "source 1 begins"])
        }
    }

    @Test func `a muted source stays muted when it is replaced`() async throws {
        try await withGraph { graph in
            await graph.mute(true, "in")
            _ = try await graph.reload(try topology(2))
            while !journal.all.contains("source 2 begins") { await Task.yield() }
            for _ in 0..<1_000 { await Task.yield() }
            // What the first source had sent before may still arrive.
            #expect(last.note.withLock { $0 } != Note(number: 2, path: "a"))
            await graph.mute(false, "in")
            await last.wait(for: Note(number: 2, path: "a"))
        }
    }

    @Test func `a graph that has ended does not change`() async throws {
        let graph = try await RunningGraph(try topology())
        await withTaskGroup { group in
            group.addTask { try? await graph.run() }
            graph.start()
            await last.wait(for: Note(number: 1, path: "a"))
            await graph.stop()
        }
        await #expect(throws: GraphError.self) { try await graph.reload(try topology(2)) }
    }
}
