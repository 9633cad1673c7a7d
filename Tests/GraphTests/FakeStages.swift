import Graph
import Media
import Synchronization

/// The value of the tests: a number and the words that stages added to it.
struct Note: PortValue, Equatable {
    static let port = PortType("note")
    var number: Int
    var path: String = ""
}

/// What happened in a run, in order.
final class Journal: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    /// Looks under the lock: a copy taken out would be shared with whoever adds next, by a count that no sanitizer sees.
    func holds(_ line: String) -> Bool { lines.withLock { $0.contains(line) } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// Lets a test hold a worker or a source until it says so.
final class Latch: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func open() { continuation.finish() }
    func wait() async { for await _ in stream {} }
}

/// Sends what it is given, each note `step` after the one before, then ends.
struct NumberSource: Source {
    var numbers: [Int]
    var step = MediaTime(milliseconds: 100)
    /// Comes before each note; the source fails where it throws.
    var before: @Sendable (Int, SourceOutput) async throws -> Void = { _, _ in }

    func run(_ output: SourceOutput) async throws {
        var position = MediaTime.zero
        for number in numbers {
            try await before(number, output)
            if output.isStopped { return }
            position += step
            await output.send(Note(number: number), reaching: position)
        }
    }
}

/// Passes each note on with its own name, after `quanta` calls of `work`, and says so in the journal.
final class NoteWorker: Worker {
    struct Plan: Sendable {
        var urgency = Urgency.signal
        var quanta = 1
        /// How many notes leave for one.
        var copies = 1
        var atFinish: [Int] = []
        var onQuantum: @Sendable (Note?, Int) throws -> Void = { _, _ in }
        var onSend: @Sendable (Note) -> Void = { _ in }
    }

    private let name: String
    private let plan: Plan
    private let journal: Journal
    private var current: Note?
    private var done = 0
    private var last: [Int] = []
    private var flushed = false

    init(_ name: String, _ plan: Plan, _ journal: Journal) {
        (self.name, self.plan, self.journal) = (name, plan, journal)
    }

    var urgency: Urgency { plan.urgency }

    func offer(_ packet: Packet) throws {
        precondition(current == nil, "\(name) was offered a note while at work")
        current = try packet.value(as: Note.self)
        done = 0
    }

    func work(_ output: Output) throws -> Progress {
        if flushed {
            flushed = false
            output.send(Note(number: -1, path: name))
        }
        try plan.onQuantum(current, done)
        if let number = last.first {
            last.removeFirst()
            send(Note(number: number, path: name), output)
            return last.isEmpty ? .idle : .more
        }
        guard var note = current else { return .idle }
        done += 1
        journal.add("\(name) \(note.number).\(done)")
        if done < plan.quanta { return .more }
        note.path += name
        current = nil
        for _ in 0..<plan.copies { send(note, output) }
        return .idle
    }

    private func send(_ note: Note, _ output: Output) {
        output.send(note)
        plan.onSend(note)
    }

    func finish() throws {
        journal.add("\(name) finish")
        last = plan.atFinish
    }

    func control(_ control: StageControl) throws { flushed = control == .flush }
}

/// Kinds of stage whose behaviour a test gives by the name of the stage.
struct FakeKinds {
    var sources: [StageID: NumberSource] = [:]
    var paces: [StageID: SourcePace] = [:]
    var plans: [StageID: NoteWorker.Plan] = [:]
    let journal = Journal()

    var registry: StageRegistry {
        let sources = sources
        return StageRegistry([
            StageKind(
                name: "numbers", summary: "sends numbers", output: Note.port,
                settings: [
                    .optional("pace", .choice(["live", "paced", "fast"]), default: .string("fast"), "how time runs")
                ],
                pace: { SourcePace(rawValue: $0.string("pace"))! },
                make: { _, context in .source(sources[context.stage] ?? NumberSource(numbers: [])) }),
            worker("pass", gives: true),
            worker("sink", gives: false)
        ])
    }

    private func worker(_ name: String, gives: Bool) -> StageKind {
        let (plans, journal) = (plans, journal)
        return StageKind(
            name: name, summary: "passes notes on", inputs: [Note.port], acceptsManyInputs: true,
            output: gives ? Note.port : nil,
            make: { _, context in
                .worker(NoteWorker(context.stage.name, plans[context.stage] ?? .init(), journal))
            })
    }

    func topology(_ stages: String) throws -> Topology {
        let lines = stages.split(separator: "\n").map { "  \($0)\n" }
        return try Topology.parse("stages:\n" + lines.joined(), file: "test.yaml", registry: registry)
    }

    /// Runs to the end and gives the journal.
    func run(_ stages: String, clock: StreamClock = StreamClock()) async throws -> [String] {
        let graph = try await RunningGraph(try topology(stages), clock: clock)
        graph.start()
        try await graph.run()
        return journal.all
    }
}
