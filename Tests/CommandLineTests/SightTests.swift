import Foundation
import TestSupport
import Testing

/// Pictures through a daemon to its socket.
@Suite(.serialized, .enabled(if: Program.hasLabels, "needs the built program and the model: make build models"))
struct SightProcessTests {
    /// Four photographs, two frames of each.
    private func pipeline(_ scratch: Scratch, fps: Double, pace: String, loops: Bool = false) throws -> String {
        try scratch.write(
            "pipeline.yaml",
            """
            name: test
            stages:
              camera:  { kind: image_files, path: "\(RealData.samples)/scenes.mjpeg", fps: \(fps), pace: \(pace), \
            loop: \(loops) }
              changes: { kind: scene_change, from: camera, min_interval_s: 0 }
              labels:  { kind: label, from: changes, model: efficientnet-lite0 }
              events:  { kind: events, from: labels }
            """)
    }

    private struct Scene: Equatable {
        var reason, text: String
        var frameMs: Int

        init?(_ event: [String: Any]) {
            guard event["event"] as? String == "scene.final", let reason = event["reason"] as? String,
                let text = event["text"] as? String, let frameMs = event["frame_ms"] as? Int
            else { return nil }
            (self.reason, self.text, self.frameMs) = (reason, text, frameMs)
        }
    }

    private func listen(_ pipeline: String, _ scratch: Scratch, format: String) throws -> Program.Result {
        let socket = "\(scratch.path)/n.sock"
        let daemon = Program(["run", pipeline, "--once", "--wait-clients", "1", "--socket", socket])
        try daemon.start()
        while daemon.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
        let heard = try Program.run("listen", "--format", format, "--socket", socket)
        let result = daemon.finish()
        #expect(result.status == 0, "\(result.errors)")
        return heard
    }

    @Test func everySettledViewIsToldOnceFastAsPaced() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        var scenes: [[Scene]] = []
        for pace in ["fast", "realtime"] {
            let events = try listen(pipeline(scratch, fps: 2, pace: pace), scratch, format: "json").lines
            scenes.append(events.compactMap(Scene.init))
            let started = events.filter { $0["event"] as? String == "scene.started" }.compactMap { $0["scene"] as? Int }
            #expect(
                started == events.compactMap { $0["event"] as? String == "scene.final" ? $0["scene"] as? Int : nil })
            let final = try #require(events.first { $0["event"] as? String == "scene.final" })
            #expect(final["src"] as? String == "camera" && final["tokens"] as? Int == 0)
            let label = try #require((final["labels"] as? [[String: Any]])?.first)
            #expect(label["label"] as? String == "espresso" && (label["p"] as? Double ?? 0) > 0.3)
        }
        #expect(scenes[0].map(\.reason) == ["first", "change", "change", "change"])
        #expect(scenes[0] == scenes[1])
        #expect(scenes[0].first?.text.contains("espresso") == true)
    }

    @Test func asTextASceneIsALineAndSubtitlesHaveNone() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try pipeline(scratch, fps: 2, pace: "fast")
        let text = try listen(file, scratch, format: "text").output.split(separator: "\n")
        #expect(text.count == 4)
        #expect(text.allSatisfy { $0.hasPrefix("[camera] ") })
        #expect(try listen(file, scratch, format: "srt").output.isEmpty)
    }

    @Test func describeAndSnapshotTellWhatIsToBeSeenNow() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let socket = "\(scratch.path)/n.sock"
        let daemon = Program([
            "run", try pipeline(scratch, fps: 5, pace: "realtime", loops: true), "--socket", socket
        ])
        try daemon.start()
        while daemon.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
        let listener = Program(["listen", "--format", "json", "--events", "scene.final", "--socket", socket])
        try listener.start()
        func ask(_ arguments: String...) throws -> (status: Int32, result: [String: Any]) {
            let program = Program(["send"] + arguments + ["--socket", socket])
            try program.start()
            let reply = program.finish()
            return (reply.status, reply.lines.first?["result"] as? [String: Any] ?? [:])
        }
        while daemon.process.isRunning, try ask("snapshot").status != 0 {}  // the first frame
        // Its listener may subscribe later than the first question is answered.
        var asked: [Int] = []
        for _ in 0..<5 {
            let described = try ask("describe", "src=camera")
            #expect(described.status == 0)
            asked.append(try #require(described.result["scene"] as? Int))
            usleep(300_000)
        }
        let snapshot = try ask("snapshot", "max_width=320").result
        #expect(snapshot["width"] as? Int == 320 && snapshot["height"] as? Int == 240)
        let jpeg = Data(base64Encoded: snapshot["jpeg"] as? String ?? "") ?? Data()
        #expect(jpeg.starts(with: [0xFF, 0xD8]) && jpeg.count > 5_000)
        #expect(try ask("describe", "src=door").status == 65)
        #expect(try ask("snapshot", "max_width=wide").status == 65)
        #expect(try ask("quit").status == 0)
        #expect(daemon.finish().status == 0)
        let told = listener.finish().lines.filter { $0["reason"] as? String == "ask" }.compactMap {
            $0["scene"] as? Int
        }
        #expect(!told.isEmpty)
        #expect(told == asked.suffix(told.count), "each question is answered once, in order")
    }
}
