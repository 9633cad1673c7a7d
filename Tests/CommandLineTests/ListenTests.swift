import Foundation
import TestSupport
import Testing

/// Clients that people and scripts use.
@Suite(.serialized, .enabled(if: Program.hasTiny, "needs the built program and the models: make build models"))
struct ListenTests {
    private func events(_ output: String) -> [RawClient.Message] {
        Program.Result(status: 0, output: output, errors: "").lines
    }

    @Test func `a listener whose daemon is killed goes on with the next, and its data stays clean`() throws {
        let first = try LiveDaemon(hears: "jfk.wav", loops: true)
        let listener = Program(["listen", "--format", "json", "--events", "transcript.final", "--socket", first.socket])
        try listener.start()
        let watcher = try RawClient(first.socket)
        watcher.ask(#"{"id":1,"cmd":"subscribe"}"#)
        _ = watcher.first("transcript.final")
        first.signal(SIGKILL)
        _ = first.program.finish()
        let second = Program([
            "run", first.file, "--wait-clients", "1", "--once", "--set", "recording.loop=false", "--socket",
            first.socket
        ])
        try second.start()
        let heard = listener.finish()
        #expect(second.finish().status == 0)
        first.scratch.remove()
        #expect(heard.status == 0, "\(heard.errors)")
        #expect(heard.errors.contains("connecting again") && heard.errors.contains("connected again"))
        let lines = heard.output.split(separator: "\n")
        #expect(events(heard.output).count == lines.count, "every line is JSON")
        #expect(events(heard.output).named("hello").count == 2, "each daemon says who it is, once")
        #expect(Set(events(heard.output).named("hello").compactMap { $0["boot"] as? String }).count == 2)
        #expect(!events(heard.output).named("transcript.final").isEmpty)
        #expect(events(heard.output).last?["event"] as? String == "bye")
    }

    @Test func `since takes up where another listener left`() throws {
        let daemon = try LiveDaemon(loops: true)
        defer { daemon.end() }
        let watcher = try RawClient(daemon.socket)
        let reply = watcher.ask(#"{"id":1,"cmd":"subscribe","last":1000}"#)?["result"] as? [String: Any]
        let boot = try #require(reply?["boot"] as? String)
        let started = try #require(watcher.first("speech.started")?["seq"] as? Int)
        _ = watcher.first("transcript.partial")
        let listener = Program(
            ["listen", "--format", "json", "--since", "\(boot):\(started - 1)", "--socket", daemon.socket])
        try listener.start()
        _ = watcher.first("transcript.final")
        daemon.signal(SIGTERM)
        let heard = events(listener.finish().output)
        #expect(heard.first?["event"] as? String == "hello")
        #expect(heard.dropFirst().first?["seq"] as? Int == started)
        #expect(heard.named("gap").isEmpty)
    }

    @Test(arguments: ["text", "srt", "vtt"]) func `formats for people hold nothing but what was heard`(format: String)
        throws
    {
        let daemon = try LiveDaemon(hears: "jfk.wav", pace: "fast", ["--once", "--wait-clients", "1"])
        defer { daemon.end() }
        let heard = try Program.run("listen", "--format", format, "--socket", daemon.socket)
        #expect(heard.status == 0 && heard.errors.isEmpty, "\(heard.errors)")
        let start = ["text": "And so", "srt": "1\n00:00:0", "vtt": "WEBVTT\n\n1\n00:00:0"][format] ?? ""
        #expect(heard.output.hasPrefix(start), "\(heard.output)")
        #expect(heard.output.contains("country") && !heard.output.contains("hello"))
    }

    @Test func `twenty lines of Python are a subscriber`() throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "subscriber.py").path
        let daemon = try LiveDaemon(hears: "jfk.wav", pace: "fast", ["--once", "--wait-clients", "1"])
        defer { daemon.end() }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, daemon.socket]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(text.contains("your country") && text.contains("\n"))
    }

    @Test func `under systemd each line of the log has its level`() throws {
        let daemon = try LiveDaemon(
            hears: "jfk.wav", pace: "fast", ["--once", "-v"], environment: ["JOURNAL_STREAM": "8:12345"])
        defer { daemon.end() }
        let errors = daemon.program.finish().errors
        let lines = errors.split(separator: "\n")
        #expect(lines.count >= 2)
        #expect(lines.allSatisfy { $0.first == "<" && $0.dropFirst(2).first == ">" }, "\(errors)")
        #expect(errors.contains("<6>narrator: serving "))
    }
}
