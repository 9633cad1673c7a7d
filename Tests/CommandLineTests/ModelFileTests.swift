import Foundation
import TestSupport
import Testing

/// A daemon whose model is a quantised file that it has mapped, and what other hands do to that file.
@Suite(.serialized, .enabled(if: Program.isBuilt, "needs the built program: make build"))
struct ModelFileTests {
    private static let nano = "\(RealData.samples)/gemma-3n-nano"

    private struct Looping {
        let scratch: Scratch
        let model: String
        let daemon: Program
        let client: RawClient

        /// A daemon that has told of a first picture, and goes on.
        init() throws {
            scratch = try Scratch()
            model = "\(scratch.path)/nano.gguf"
            let made = try Program.run("models", "quantize", nano, "--to", "q8", "-o", model, "--quiet")
            #expect(made.status == 0, "\(made)")
            let file = try scratch.write(
                "pipeline.yaml",
                """
                name: looping
                models: { gemma: { model: "\(model)" } }
                stages:
                  camera:  { kind: image_files, path: "\(nano)/pictures", fps: 5, pace: realtime, loop: true }
                  changes: { kind: scene_change, from: camera, threshold: 0.01, settle_ms: 0, min_interval_s: 0 }
                  seen:    { kind: embed_image, from: changes, model: gemma }
                  scene:   { kind: decode, from: seen, model: gemma, task: describe }
                  events:  { kind: events, from: scene }
                """)
            let socket = "\(scratch.path)/n.sock"
            daemon = Program(["run", file, "--socket", socket, "--wait-clients", "1"])
            try daemon.start()
            while daemon.process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(20_000) }
            client = try RawClient(socket)
            client.ask(#"{"id":1,"cmd":"subscribe","events":["scene.final"]}"#)
            #expect(client.next() != nil)
        }

        /// What became of the daemon.
        func end(stopping: Bool) -> Program.Result {
            if stopping { daemon.process.terminate() }
            defer { scratch.remove() }
            return daemon.finish()
        }
    }

    @Test func aFileThatIsWrittenToEndsTheDaemonWith65() throws {
        let looping = try Looping()
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: looping.model))
        let first = try handle.read(upToCount: 1) ?? Data()
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: first)
        try handle.close()
        let messages = looping.client.rest()
        #expect(messages.last?["event"] as? String == "bye", "it says goodbye: \(messages.suffix(2))")
        let result = looping.end(stopping: false)
        #expect(result.status == 65 && result.errors.contains("nano.gguf' was written to"), "\(result)")
    }

    @Test func aFileThatIsCutShortEndsTheDaemonWith65() throws {
        let looping = try Looping()
        truncate(looping.model, 1_000)
        _ = looping.client.rest()
        let result = looping.end(stopping: false)
        #expect(result.status == 65 && result.errors.contains("nano.gguf'"), "\(result)")
    }

    @Test func aFileThatIsReplacedIsUsedAsItWas() throws {
        let looping = try Looping()
        let made = try Program.run(
            "models", "quantize", Self.nano, "--to", "q4", "-o", looping.model, "--quiet")
        #expect(made.status == 0, "\(made)")
        for _ in 0..<20 { #expect(looping.client.next() != nil) }
        try FileManager.default.removeItem(atPath: looping.model)
        for _ in 0..<20 { #expect(looping.client.next() != nil) }
        let result = looping.end(stopping: true)
        #expect(result.status == 0, "\(result)")
    }
}
