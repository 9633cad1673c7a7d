import Foundation
import TestSupport
import Testing

/// A daemon ends in order, whenever it is told to.
@Suite(.serialized, .enabled(if: Program.hasTiny, "needs the built program and the models: make build models"))
struct StoppingTests {
    /// What has to have happened before the signal comes.
    enum Moment: String, CaseIterable {
        case hello, started = "speech.started", partial = "transcript.partial", final = "transcript.final"
    }

    @Test(arguments: Moment.allCases)
    func `whatever is open gets its one end, clients their bye, and the socket goes`(moment: Moment) throws {
        let daemon = try LiveDaemon(["--wait-clients", "1"])
        defer { daemon.end() }
        let client = try RawClient(daemon.socket)
        client.ask(#"{"id":1,"cmd":"subscribe"}"#)
        var events: [RawClient.Message] = []
        while moment != .hello, let event = client.next() {
            events.append(event)
            if event["event"] as? String == moment.rawValue { break }
        }
        daemon.signal(SIGTERM)
        events += client.rest()
        let result = daemon.program.finish()
        #expect(result.status == 0, "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: daemon.socket))
        #expect(events.last?["code"] as? String == "shutdown")
        func utterances(_ names: String...) -> [Int] {
            events.filter { names.contains($0["event"] as? String ?? "") }.compactMap { $0["utt"] as? Int }
        }
        #expect(utterances("transcript.final", "transcript.discarded") == utterances("speech.started"))
        if moment == .partial { #expect(!utterances("speech.started").isEmpty) }
    }

    @Test(arguments: [0, 20, 100, 300, 800])
    func `a stop while it starts leaves nothing behind`(milliseconds: UInt32) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let file = try scratch.write("p.yaml", LiveDaemon.pipeline("two_cities.flac", pace: "realtime"))
        let program = Program(["run", file, "--wait-clients", "1", "--socket", socket])
        try program.start()
        // Before it can catch anything a signal ends any program.
        while program.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(5_000) }
        usleep(milliseconds * 1_000)
        kill(program.process.processIdentifier, SIGTERM)
        let result = program.finish()
        #expect(result.status == 0, "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: socket))
    }

    @Test func `a second signal ends it at once and still leaves no socket`() throws {
        let daemon = try LiveDaemon(environment: ["KERNELS": "scalar"])
        defer { daemon.end() }
        let client = try RawClient(daemon.socket)
        client.ask(#"{"id":1,"cmd":"subscribe"}"#)
        _ = client.first("speech.started")
        daemon.signal(SIGTERM)
        usleep(50_000)
        daemon.signal(SIGTERM)
        let result = daemon.program.finish()
        // Where the first was enough already, it ended in order.
        #expect(result.status == 0 || result.status == SIGTERM)
        #expect(!FileManager.default.fileExists(atPath: daemon.socket))
    }

    @Test func `quit is as good as a signal`() throws {
        let daemon = try LiveDaemon()
        defer { daemon.end() }
        let client = try RawClient(daemon.socket)
        client.ask(#"{"id":1,"cmd":"subscribe"}"#)
        #expect(try daemon.send("quit").status == 0)
        #expect(client.rest().last?["code"] as? String == "shutdown")
        #expect(daemon.program.finish().status == 0)
    }
}
