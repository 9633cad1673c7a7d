import Foundation
import TestSupport
import Testing

/// What can be asked of a daemon while it listens.
@Suite(.serialized, .enabled(if: Program.hasTiny, "needs the built program and the models: make build models"))
struct OrdersTests {
    private func withDaemon(_ body: (LiveDaemon, RawClient) throws -> Void) throws {
        let daemon = try LiveDaemon(loops: true, ["--wait-clients", "1"])
        defer { daemon.end() }
        let client = try RawClient(daemon.socket)
        client.ask(#"{"id":1,"cmd":"subscribe"}"#)
        try body(daemon, client)
    }

    @Test func `flush ends the utterance and tells its final`() throws {
        try withDaemon { daemon, client in
            let utterance = client.first("transcript.partial")?["utt"] as? Int
            let reply = try daemon.send("flush").lines.first?["result"] as? [String: Any]
            #expect(reply?["utts"] as? [Int] == [utterance].compactMap(\.self))
            let stopped = client.first("speech.stopped")
            #expect(stopped?["cause"] as? String == "flush" && stopped?["utt"] as? Int == utterance)
            let final = client.first { ($0["event"] as? String)?.hasPrefix("transcript.") == true }
            #expect(final?["event"] as? String == "transcript.final" && final?["utt"] as? Int == utterance)
            #expect(client.first("speech.started") != nil, "speech that goes on makes a new one")
        }
    }

    @Test func `while muted nothing is heard, and afterwards times are right`() throws {
        try withDaemon { daemon, client in
            _ = client.first("transcript.partial")
            #expect(try daemon.send("mute", "src=recording").status == 0)
            var until: [RawClient.Message] = []
            while ["mute.changed", "speech.stopped", "transcript.final"].contains(where: { until.named($0).isEmpty }) {
                until.append(try #require(client.next()))
            }
            #expect(until.named("speech.stopped").first?["cause"] as? String == "mute")
            #expect(until.named("mute.changed").first?["muted"] as? Bool == true)
            let status = try daemon.send("status").lines.first?["result"] as? [String: Any]
            #expect(((status?["sources"] as? [[String: Any]])?.first)?["muted"] as? Bool == true)
            usleep(2_000_000)
            let unmute = try Program.run("unmute", "recording", "--socket", daemon.socket)
            #expect(unmute.status == 0 && unmute.output.contains("\"muted\":false"))
            let next = try #require(client.next())
            #expect(next["event"] as? String == "mute.changed", "nothing came in between: \(next)")
            let unmutedMs = try #require(next["at_ms"] as? Int)
            let start = try #require(client.first("transcript.final")?["start_ms"] as? Int)
            #expect(start > unmutedMs - 500, "\(start) after \(unmutedMs)")
        }
    }

    @Test func `what is to be forgotten gets no text and is kept for nobody`() throws {
        try withDaemon { daemon, client in
            let utterance = client.first("transcript.partial")?["utt"] as? Int
            #expect(try Program.run("mute", "--forget", "--for", "1", "--socket", daemon.socket).status == 0)
            let end = try #require(
                client.first { ["transcript.final", "transcript.discarded"].contains($0["event"] as? String ?? "") })
            #expect(end["event"] as? String == "transcript.discarded" && end["utt"] as? Int == utterance)
            let later = try RawClient(daemon.socket)
            later.ask(#"{"id":1,"cmd":"subscribe","last":100}"#)
            #expect(later.next()?["event"] as? String == "mute.changed", "only how the source is")
            let unmuted = client.first { $0["muted"] as? Bool == false }
            #expect(unmuted != nil, "the second is over")
        }
    }

    @Test func `a pause holds the recording where it is`() throws {
        try withDaemon { daemon, client in
            _ = client.first("speech.started")
            #expect(try daemon.send("pause").status == 0)
            let status = try daemon.send("status").lines.first?["result"] as? [String: Any]
            #expect(((status?["sources"] as? [[String: Any]])?.first)?["state"] as? String == "paused")
            _ = client.first { ["transcript.final", "transcript.discarded"].contains($0["event"] as? String ?? "") }
            usleep(1_000_000)
            #expect(try daemon.send("resume").status == 0)
            let text = client.first("transcript.final")?["text"] as? String
            #expect(text?.isEmpty == false)
        }
    }

    @Test func `settings change while it runs, by set and by SIGHUP, and a bad file changes nothing`() throws {
        try withDaemon { daemon, client in
            _ = client.first("speech.started")
            let set = try daemon.send("set", "stage=transcript", "key=partial_ms", "value=200")
            #expect(set.status == 0, "\(set.errors)")
            #expect(try daemon.send("set", "stage=transcript", "key=model", "value=other").status == 65)
            let pipeline = LiveDaemon.pipeline("two_cities.flac", pace: "realtime", loops: true, silenceMs: 900)
            _ = try daemon.scratch.write("pipeline.yaml", pipeline)
            daemon.signal(SIGHUP)
            _ = client.first("transcript.partial")
            // What SIGHUP did already, a second reload has not to do again.
            var reply: [String: Any]? = ["adjusted": ["utterances"]]
            while reply?["adjusted"] as? [String] != [] {
                reply = try daemon.send("reload").lines.first?["result"] as? [String: Any]
            }
            _ = try daemon.scratch.write(
                "pipeline.yaml", pipeline.replacing("silence_ms: 900", with: "silense_ms: 900"))
            let bad = try daemon.send("reload")
            #expect(bad.status == 65 && bad.errors.contains("silence_ms") && bad.errors.contains("pipeline.yaml:5"))
            #expect(client.first("transcript.final") != nil)
        }
    }

    @Test func `a stage that is made anew does not stop the others`() throws {
        try withDaemon { daemon, client in
            _ = client.first("transcript.partial")
            let other = LiveDaemon.pipeline("jfk.wav", pace: "realtime", loops: true)
            _ = try daemon.scratch.write("pipeline.yaml", other)
            let reply = try daemon.send("reload")
            #expect((reply.lines.first?["result"] as? [String: Any])?["restarted"] as? [String] == ["recording"])
            let text = client.first { ($0["text"] as? String)?.contains("country") == true }
            #expect(text != nil)
            #expect((text?["latency_ms"] as? Int ?? .max) < 60_000)
        }
    }

    @Test func `status and stats tell of lag, losses, memory and clients`() throws {
        try withDaemon { daemon, _ in
            for command in ["status", "stats"] {
                let result = try daemon.send(command).lines.first?["result"] as? [String: Any]
                for key in ["lag_ms", "dropped", "overruns", "lost_ms", "rss_bytes", "clients", "subscribers"] {
                    #expect(result?[key] is Int, "\(command): \(key)")
                }
                let stage = (result?["stages"] as? [[String: Any]])?.first { $0["id"] as? String == "transcript" }
                #expect(stage?["real_time_factor"] is Double && stage?["lag_ms"] is Int)
                let link = (result?["links"] as? [[String: Any]])?.first
                #expect(link?["dropped"] as? Int == 0)
            }
        }
    }

    /// The system's: one in a home folder is not for everybody.
    private static let python = "/usr/bin/python3"

    @Test(
        .enabled(
            if: geteuid() == 0 && FileManager.default.isExecutableFile(atPath: python),
            "needs root, to become somebody else, and /usr/bin/python3"))
    func `another user may look and not touch, unless listed`() throws {
        let setpriv = "/usr/bin/setpriv"
        try #require(FileManager.default.isExecutableFile(atPath: setpriv))
        func role(_ arguments: [String]) throws -> [String: Any] {
            let daemon = try LiveDaemon(["--wait-clients", "1"] + arguments)
            defer { daemon.end() }
            // The socket is for its group; here that of root.
            let script = """
                import json, socket, sys
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile("rwb")
                hello = json.loads(f.readline()); replies = []
                for cmd in ["status", "mute"]:
                    f.write(json.dumps({"cmd": cmd}).encode() + b"\\n"); f.flush(); replies.append(json.loads(f.readline()))
                print(json.dumps({"role": hello["role"], "look": replies[0]["ok"], "touch": replies[1]}))
                """
            // The folder is ours alone until now; the socket, which a daemon makes for its group, may take a moment.
            chmod(daemon.scratch.path, 0o755)
            for _ in 0..<100 where !FileManager.default.fileExists(atPath: daemon.socket) { usleep(20_000) }
            let process = Process()
            process.executableURL = URL(filePath: setpriv)
            process.arguments = [
                "--reuid=65534", "--regid=0", "--clear-groups", Self.python, "-c", script, daemon.socket
            ]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        }
        let stranger = try role([])
        #expect(stranger["role"] as? String == "read" && stranger["look"] as? Bool == true)
        let refusal = (stranger["touch"] as? [String: Any])?["error"] as? [String: Any]
        #expect(refusal?["code"] as? String == "not_permitted")
        #expect(try role(["--control-uid", "65534"])["role"] as? String == "control")
    }
}
