import Foundation
import TestSupport
import Testing

/// The daemon through its socket, as programs use it.
@Suite(.serialized, .enabled(if: Program.hasTiny, "needs the built program and the models: make build models"))
struct DaemonProcessTests {
    private func pipeline(_ scratch: Scratch, file: String, pace: String) throws -> String {
        try scratch.write(
            "pipeline.yaml",
            """
            name: test
            stages:
              recording:  { kind: audio_file, path: "\(RealData.samples)/\(file)", pace: \(pace) }
              speech:     { kind: resample, from: recording }
              utterances: { kind: endpoint, from: speech }
              transcript: { kind: transcribe, from: utterances, model: whisper-tiny.en }
              events:     { kind: events, from: transcript }
            """)
    }

    private func waitForSocket(_ path: String, _ daemon: Program) {
        while daemon.process.isRunning, !FileManager.default.fileExists(atPath: path) { usleep(20_000) }
    }

    /// Events of one run from its first to its last.
    private func events(file: String, pace: String) throws -> [[String: Any]] {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let daemon = Program([
            "run", try pipeline(scratch, file: file, pace: pace), "--once", "--wait-clients", "1", "--socket", socket
        ])
        try daemon.start()
        waitForSocket(socket, daemon)
        let listener = try Program.run("listen", "--format", "json", "--socket", socket)
        let result = daemon.finish()
        #expect(result.status == 0, "\(result.errors)")
        #expect(listener.status == 0, "\(listener.errors)")
        #expect(!FileManager.default.fileExists(atPath: socket))
        return listener.lines
    }

    private func finals(_ events: [[String: Any]]) -> [String] {
        events.filter { $0["event"] as? String == "transcript.final" }.compactMap { $0["text"] as? String }
    }

    @Test func everyUtteranceIsToldInOrderAndNothingIsTakenBack() throws {
        let events = try events(file: "two_cities.flac", pace: "fast")
        #expect(events.first?["event"] as? String == "hello")
        #expect(events.last?["event"] as? String == "bye")
        let numbered = events.compactMap { $0["seq"] as? Int }
        #expect(zip(numbered.dropFirst(), numbered.dropFirst(2)).allSatisfy { $0 < $1 })
        let told = Dictionary(grouping: events.filter { $0["utt"] != nil }) { $0["utt"] as? Int ?? 0 }
        #expect(told.count >= 3)
        for (_, story) in told {
            let names = story.compactMap { $0["event"] as? String }
            #expect(names.first == "speech.started")
            #expect(names.last == "transcript.final" || names.last == "transcript.discarded")
            #expect(names.filter { $0 == "transcript.final" || $0 == "transcript.discarded" }.count == 1)
            var committed = ""
            for event in story {
                guard let text = (event["committed"] ?? event["text"]) as? String else { continue }
                #expect(text.utf8.starts(with: committed.utf8))
                committed = text
            }
        }
    }

    @Test func fastPacedAndStreamGiveTheSameFinals() throws {
        let fast = finals(try events(file: "jfk.wav", pace: "fast"))
        #expect(!fast.isEmpty)
        #expect(finals(try events(file: "jfk.wav", pace: "realtime")) == fast)
        let stream = try Program.run("transcribe", "--stream", "\(RealData.samples)/jfk.wav")
        #expect(stream.output == fast.joined(separator: " ") + "\n")
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aSignalEndsItInOrder(signal: Int32) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let daemon = Program([
            "run", try pipeline(scratch, file: "two_cities.flac", pace: "realtime"), "--socket", socket
        ])
        try daemon.start()
        waitForSocket(socket, daemon)
        let listener = Program(["listen", "--format", "json", "--socket", socket])
        try listener.start()
        // The first partial shows that an utterance is open.
        while try Program.run("send", "status", "--socket", socket).output.contains("\"stream_ms\":0,") {}
        kill(daemon.process.processIdentifier, signal)
        #expect(daemon.finish().status == 0)
        let heard = listener.finish()
        #expect(heard.status == 0)
        #expect(heard.lines.last?["event"] as? String == "bye")
        #expect(!FileManager.default.fileExists(atPath: socket))
    }

    /// Scalar kernels on one thread cannot finish in the time that a stop allows.
    @Test func aStopThatRunsOutOfTimeIsNoFailure() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let daemon = Program(
            [
                "run", try pipeline(scratch, file: "two_cities.flac", pace: "fast"), "--threads", "1", "--socket",
                socket
            ], environment: ["KERNELS": "scalar"])
        try daemon.start()
        waitForSocket(socket, daemon)
        // The clock of a fast source moves on as its sound is taken in: an utterance waits for its transcript.
        var stream = 0
        while daemon.process.isRunning, stream < 20_000 {
            let status = try Program.run("send", "status", "--socket", socket).lines.first?["result"] as? [String: Any]
            stream = status?["stream_ms"] as? Int ?? 0
        }
        let start = ContinuousClock.now
        kill(daemon.process.processIdentifier, SIGTERM)
        let result = daemon.finish()
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("warning") && result.errors.contains("Stopped before"))
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func withoutACameraThereIsNothingToDescribeOrShow() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let daemon = Program([
            "run", try pipeline(scratch, file: "jfk.wav", pace: "realtime"), "--wait-clients", "1", "--socket", socket
        ])
        try daemon.start()
        waitForSocket(socket, daemon)
        for command in ["describe", "snapshot"] {
            let reply = try Program.run("send", command, "--socket", socket)
            #expect(reply.status == 65)
            #expect(reply.errors.contains("Pipelines/describe.yaml"))
            #expect((reply.lines.first?["error"] as? [String: Any])?["code"] as? String == "not_available")
            let wrong = try Program.run("send", command, "source=camera", "--socket", socket)
            #expect(wrong.status == 65 && wrong.errors.contains("src"))
        }
        #expect(try Program.run("send", "quit", "--socket", socket).status == 0)
        #expect(daemon.finish().status == 0)
    }

    @Test func aSecondDaemonIsRefusedAndADeadSocketReplaced() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let file = try pipeline(scratch, file: "two_cities.flac", pace: "realtime")
        let first = Program(["run", file, "--wait-clients", "1", "--socket", socket])
        try first.start()
        waitForSocket(socket, first)
        let second = try Program.run("run", file, "--socket", socket)
        #expect(second.status == 69)
        #expect(try Program.run("send", "ping", "--socket", socket).status == 0)
        kill(first.process.processIdentifier, SIGKILL)
        _ = first.finish()
        #expect(FileManager.default.fileExists(atPath: socket))
        let third = Program(["run", file, "--wait-clients", "1", "--socket", socket])
        try third.start()
        while third.process.isRunning, try Program.run("send", "ping", "--socket", socket).status != 0 {}
        #expect(try Program.run("send", "quit", "--socket", socket).status == 0)
        #expect(third.finish().status == 0)
    }
}
