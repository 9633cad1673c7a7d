import Foundation
import TestSupport
import Testing

/// Files → graph → Gemma → socket: speech and pictures in one pipeline, and questions.
@Suite(.serialized, .enabled(if: Program.isBuilt, "needs the built program: make build"))
struct NanoDaemonTests {
    private static let nano = "\(RealData.samples)/gemma-3n-nano"

    private func pipeline(_ scratch: Scratch, pace: String, loops: Bool = false) throws -> String {
        try scratch.write(
            "pipeline.yaml",
            """
            name: senses
            models: { gemma: { model: "\(Self.nano)", weights: f32 } }
            stages:
              recording:  { kind: audio_file, path: "\(Self.nano)/clips/digits-04.wav", pace: \(pace), loop: \(loops) }
              speech:     { kind: resample, from: recording }
              utterances: { kind: endpoint, from: speech, vad: none }
              heard:      { kind: embed_audio, from: utterances, model: gemma }
              transcript: { kind: decode, from: heard, model: gemma, task: transcribe }
              camera:     { kind: image_files, path: "\(Self.nano)/pictures", fps: 1, pace: \(pace), loop: \(loops) }
              changes:    { kind: scene_change, from: camera, settle_ms: 0, min_interval_s: 0 }
              seen:       { kind: embed_image, from: changes, model: gemma, queue: { capacity: 16, when_full: wait } }
              scene:      { kind: decode, from: seen, model: gemma, task: describe }
              events:     { kind: events, from: [transcript, scene] }
            """)
    }

    private func start(_ arguments: [String], _ socket: String) throws -> Program {
        let daemon = Program(["run"] + arguments + ["--socket", socket])
        try daemon.start()
        while daemon.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
        return daemon
    }

    @Test func aDaemonTellsWhatTheCommandsTell() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let daemon = try start([pipeline(scratch, pace: "fast"), "--once", "--wait-clients", "1"], socket)
        let events = try Program.run("listen", "--format", "json", "--socket", socket).lines
        let result = daemon.finish()
        #expect(result.status == 0, "\(result.errors)")
        func texts(_ name: String) -> [String] {
            events.filter { $0["event"] as? String == name }.compactMap { $0["text"] as? String }
        }
        #expect(texts("transcript.final") == ["zero five seven zero"])
        #expect(texts("scene.final") == NanoTests.expected("pictures").map(\.text))
        // The pieces of a description are all of it.
        for final in events where final["event"] as? String == "scene.final" {
            let scene = final["scene"] as? Int
            let pieces = events.filter { $0["event"] as? String == "scene.delta" && $0["scene"] as? Int == scene }
            #expect(pieces.compactMap { $0["text"] as? String }.joined() == final["text"] as? String)
            #expect((final["tokens"] as? Int ?? 0) > 3 && final["labels"] == nil)
        }
        let committed = events.filter { $0["event"] as? String == "transcript.partial" }.compactMap {
            $0["committed"] as? String
        }
        #expect(committed.count > 2 && committed.allSatisfy { "zero five seven zero".hasPrefix($0) })
    }

    @Test func questionsAreAnsweredAboutPicturesAndNone() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let daemon = try start([pipeline(scratch, pace: "realtime", loops: true)], socket)
        defer {
            daemon.process.terminate()
            _ = daemon.finish()
        }
        var first = ""
        for _ in 0..<100 where !first.contains("background") {
            usleep(100_000)
            let arguments = ["ask", "--socket", socket, "--frame", "1", "--speech-s", "0", "Describe this picture."]
            let asked = Program(arguments)
            try asked.start()
            first = asked.finish().output
        }
        #expect(first == "\(NanoTests.expected("pictures")[0].text)\n")
        let words = try Program.run(
            "ask", "--socket", socket, "--frame", "none", "--speech-s", "0", "What comes after three?")
        #expect(words.output == "four\n" && words.status == 0, "\(words.errors)")
        let now = try Program.run("ask", "--socket", socket, "--speech-s", "0", "Describe this picture.")
        #expect(NanoTests.expected("pictures").map { "\($0.text)\n" }.contains(now.output), "\(now)")

        for (fields, code) in [
            (["frame=9999", "prompt=x"], "not_available"), (["prompt= "], "bad_value"), ([], "bad_value"),
            (["prompt=x", "speech_s=-1"], "bad_value"), (["prompt=x", "src=nobody"], "bad_value"),
            (["prompt=x", "fram=now"], "unknown_field")
        ] {
            let program = Program(["send", "ask", "--socket", socket] + fields)
            try program.start()
            let refused = program.finish()
            let error = refused.lines.first?["error"] as? [String: Any]
            #expect(refused.status == 65 && error?["code"] as? String == code, "\(fields): \(refused.output)")
        }
    }

    @Test func whatDoesNotFitIsRefusedBeforeItRuns() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let good = try String(contentsOfFile: pipeline(scratch, pace: "fast"), encoding: .utf8)
        #expect(try Program.run("check", scratch.write("good.yaml", good)).status == 0)
        for (old, new, message) in [
            ("task: describe", "task: transcribe", "task: describe"),
            ("task: transcribe", "task: describe", "embed_image"),
            ("task: transcribe", "task: free", "prompt"),
            ("from: heard, model: gemma", "from: heard, model: gemma-3n-e2b", "same model")
        ] {
            let text = good.replacingOccurrences(of: old, with: new)
            let result = try Program.run("check", scratch.write("bad.yaml", text))
            #expect(result.status == 78 && result.errors.contains(message), "\(new): \(result.errors)")
        }
    }
}
