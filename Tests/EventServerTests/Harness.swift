import Dispatch
import Events
import Foundation
import Synchronization

@testable import EventServer

/// The two ways to a server: its session logic alone, and the whole of it over a real socket.
enum Transport: CaseIterable, Sendable {
    case memory, socket
}

/// One client of a test.
protocol TestClient: Sendable {
    func send(_ bytes: [UInt8]) async
    /// The next message; nil when the server has hung up.
    func next() async -> JSONValue?
    func endInput() async
    func hangUp() async
}

extension TestClient {
    func send(_ line: String) async { await send(Array((line + "\n").utf8)) }

    /// Sends a request and gives its reply; nothing else may come in between.
    func ask(_ request: String) async -> JSONValue? {
        await send(request)
        return await next()
    }

    /// Everything until the server hangs up.
    func rest() async -> [JSONValue] {
        var messages: [JSONValue] = []
        while let message = await next() { messages.append(message) }
        return messages
    }

    func next(_ count: Int) async -> [JSONValue] {
        var messages: [JSONValue] = []
        for _ in 0..<count {
            guard let message = await next() else { break }
            messages.append(message)
        }
        return messages
    }
}

/// A server under test.
struct TestServer: Sendable {
    let sink: any EventSink
    let boot: String
    let connect: @Sendable () async -> any TestClient
    let waitForSubscribers: @Sendable (Int) async -> Void
    let forget: @Sendable (String) -> Void
    let shutDown: @Sendable () async -> Void
    let path: String

    /// A client that has read its hello.
    func client() async -> any TestClient {
        let client = await connect()
        _ = await client.next()
        return client
    }

    func client(subscribed fields: String) async -> any TestClient {
        let client = await client()
        _ = await client.ask(#"{"id":0,"cmd":"subscribe"\#(fields.isEmpty ? "" : ",")\#(fields)}"#)
        return client
    }

    func partial(_ utt: Int, rev: Int = 0, _ committed: String, _ tentative: String = "", src: String = "microphone") {
        let partial = PartialTranscript(
            utt: utt, rev: rev, committed: committed, tentative: tentative, startMs: 0, endMs: 100, lagMs: 0)
        sink.emit(.transcriptPartial(partial), src: src)
    }

    func final(_ utt: Int, _ text: String, words: [FinalTranscript.Word]? = nil, src: String = "microphone") {
        let final = FinalTranscript(
            utt: utt, text: text, startMs: 0, endMs: 100, language: "en", confidence: 1, words: words, model: "m",
            latencyMs: 0)
        sink.emit(.transcriptFinal(final), src: src)
    }
}

/// Knows `devices` and `status`, and tells what it was asked.
struct Commands: CommandHandler {
    private let asked: AsyncStream<String>.Continuation?

    init(_ asked: AsyncStream<String>.Continuation? = nil) { self.asked = asked }

    func handle(_ command: String, fields: JSONObject, role: Role) async -> Result<JSONValue, CommandError> {
        asked?.yield(command)
        return switch command {
        case "devices": .success(["microphones": []])
        case "status", "stats": .success(["lag_ms": 0])
        default: .failure(CommandError(.notAvailable, "not here"))
        }
    }
}

/// Sources are made up: what counts is that clients get to see them.
func testConfiguration(path: String = "") -> EventServer.Configuration {
    EventServer.Configuration(path: path, server: "narrator/0.1.0") {
        PipelineStatus(name: "test", sources: [SourceStatus(id: "microphone", kind: "alsa", state: "running")])
    }
}

func withServer(
    _ transport: Transport, commands: Commands = Commands(),
    configure: (inout EventServer.Configuration) -> Void = { _ in },
    _ body: (TestServer) async throws -> Void
) async throws {
    switch transport {
    case .memory:
        var configuration = testConfiguration()
        configure(&configuration)
        let exchange = Exchange(configuration: configuration, commands: commands)
        let lineLimit = configuration.requestBytes
        try await body(
            TestServer(
                sink: MemorySink(exchange: exchange), boot: exchange.boot,
                connect: { MemoryClient(exchange, role: .control, lineLimit: lineLimit) },
                waitForSubscribers: { count in await exchange.wait { $0.subscribers >= count } },
                forget: { exchange.forget(src: $0) },
                shutDown: { exchange.shutDown() }, path: ""))
    case .socket:
        try await withTemporaryFolder { folder in
            var configuration = testConfiguration(path: folder + "/n.sock")
            configure(&configuration)
            let server = EventServer(configuration: configuration, commands: commands)
            try server.bind()
            let path = configuration.path
            try await withThrowingTaskGroup { group in
                group.addTask { try await server.run() }
                try await body(
                    TestServer(
                        sink: server, boot: server.boot, connect: { try! SocketClient(path) },  // bound above
                        waitForSubscribers: { await server.waitForSubscribers($0) },
                        forget: { server.forget(src: $0) },
                        shutDown: { await server.drain() }, path: path))
                await server.drain(timeout: .zero)
                try await group.waitForAll()
            }
        }
    }
}

func withTemporaryFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("n-\(UInt32.random(in: 0...UInt32.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.path)
}

struct MemorySink: EventSink {
    let exchange: Exchange
    func emit(_ body: EventBody, src: String) { exchange.emit(body, src: src) }
}

/// Lets a task wait for what an exchange has for its client.
final class MemoryOutlet: ClientOutlet {
    let wakes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (wakes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func wake() { continuation.yield() }

    func hangUp(after grace: Duration) {}
}

/// Does what the shell around an `Exchange` does, without a socket.
actor MemoryClient: TestClient {
    private let exchange: Exchange
    private let outlet: MemoryOutlet
    private let id: Int
    private var reader: ClientReader
    private var splitter = LineSplitter(limit: .max)
    private var messages: ArraySlice<JSONValue> = []

    init(_ exchange: Exchange, role: Role, lineLimit: Int) {
        self.exchange = exchange
        let outlet = MemoryOutlet()
        self.outlet = outlet
        id = exchange.connect(role: role) { _ in outlet }
        reader = ClientReader(exchange: exchange, id: id, role: role, lineLimit: lineLimit)
    }

    func send(_ bytes: [UInt8]) async {
        var reader = reader
        _ = await reader.feed(bytes)
        self.reader = reader
    }

    func endInput() async {
        var reader = reader
        await reader.finish()
        self.reader = reader
    }

    func next() async -> JSONValue? {
        while messages.isEmpty {
            switch exchange.take(id) {
            case .bytes(let bytes):
                for case .line(let line) in splitter.append(bytes) {
                    if let value = try? JSONValue(parsing: line) { messages.append(value) }
                }
            case .wait: for await _ in outlet.wakes { break }
            case .end: return nil
            }
        }
        return messages.popFirst()
    }

    func hangUp() async { exchange.disconnect(id) }
}

/// Blocks on a thread of its own, never on one that the server needs.
final class SocketClient: TestClient {
    private let queue = DispatchQueue(label: "client")
    private let connection: Mutex<EventConnection?>
    private let descriptor: CInt

    init(_ path: String) throws {
        let connection = try EventConnection(paths: [path])
        descriptor = connection.descriptor
        self.connection = Mutex(connection)
    }

    func send(_ bytes: [UInt8]) async {
        await onQueue { [descriptor] in
            _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        }
    }

    func next() async -> JSONValue? {
        await onQueue { self.connection.withLock { (try? $0?.nextMessage())??.value } }
    }

    func endInput() async { shutdown(descriptor, CInt(SHUT_WR)) }

    func hangUp() async { await onQueue { self.connection.withLock { $0 = nil } } }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
