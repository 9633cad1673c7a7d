import Foundation
import TestSupport
import Testing

/// `narrator models pull gemma-3n-e2b` from a hub on the loopback interface that serves another model under the name.
@Suite(
    .enabled(
        if: Program.isBuilt && RealData.shared("../nano/gemma-3n-nano") != nil,
        "needs the built program, python3 and ../shared/nano"))
struct GemmaPullTests {
    private let nano = RealData.shared("../nano/gemma-3n-nano") ?? ""

    @Test func itIsFetchedQuantisedAndAsked() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let hub = try Hub(of: nano, in: scratch)
        defer { hub.stop() }
        let environment = hub.environment(token: "good")
        let pulled = try Program.run("models", "pull", "gemma-3n-e2b", "--weights", "q4", environment: environment)
        #expect(pulled.status == 0 && pulled.errors.contains("Gemma Terms of Use"), "\(pulled)")
        #expect(pulled.errors.contains("are deleted"))
        let folder = "\(scratch.path)/store/gemma-3n-e2b"
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [".verified.json", "model-q4.gguf"])

        let question = "What comes after three?"
        let answer = try Program.run("ask", "--model", "gemma-3n-e2b", question, environment: environment)
        #expect(answer.output == "four\n", "\(answer)")
        let other = try Program.run(
            "ask", "--model", "gemma-3n-e2b", "--weights", "q8", question, environment: environment)
        #expect(other.status == 66 && other.errors.contains("pull gemma-3n-e2b --weights q8"))
        let measured = try Program.run(
            "bench", "--json", "--prefill", "20", "--decode", "5", environment: environment)
        #expect(measured.lines.first?["model"] as? String == "gemma-3n-e2b", "a pulled Gemma is the first choice")
        let listed = try Program.run("models", "list", environment: environment).output
        #expect(listed.split(separator: "\n").contains { $0.hasPrefix("gemma-3n-e2b") && $0.contains(" q4 ") })
        let removed = try Program.run("models", "remove", "gemma-3n-e2b", environment: environment)
        #expect(removed.status == 0 && !FileManager.default.fileExists(atPath: folder))
    }

    @Test(arguments: ["", "bad"]) func withoutAGoodTokenItIs77(token: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let hub = try Hub(of: nano, in: scratch)
        defer { hub.stop() }
        let result = try Program.run("models", "pull", "gemma-3n-e4b", environment: hub.environment(token: token))
        #expect(result.status == 77 && result.errors.contains("HF_TOKEN"), "\(result)")
        #expect(result.errors.contains("licence") && result.errors.contains("google/gemma-3n-E4B-it"))
    }

    @Test func weightsThatThereAreNotAre64() throws {
        #expect(try Program.run("models", "pull", "gemma-3n-e2b", "--weights", "q5").status == 64)
        #expect(try Program.run("models", "pull", "whisper-tiny.en", "--weights", "q4").status == 64)
    }
}

/// The hub of the tests of the catalogue, with a model of one shard.
private struct Hub {
    private let process = Process()
    private let input = Pipe()  // its end is the server's
    private let scratch: Scratch
    private let port: Int

    init(of model: String, in scratch: Scratch) throws {
        self.scratch = scratch
        let folder = "\(scratch.path)/hub"
        let shard = "model-00001-of-00001.safetensors"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json"] {
            try FileManager.default.copyItem(atPath: "\(model)/\(name)", toPath: "\(folder)/\(name)")
        }
        try FileManager.default.copyItem(atPath: "\(model)/model.safetensors", toPath: "\(folder)/\(shard)")
        let names = try Self.tensors(of: "\(folder)/\(shard)")
        let index = ["weight_map": Dictionary(uniqueKeysWithValues: names.map { ($0, shard) })]
        try JSONEncoder().encode(index).write(to: URL(filePath: "\(folder)/model.safetensors.index.json"))
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", RealData.root.path + "/Tests/CatalogTests/hub_fixture.py", folder]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    func stop() { kill(process.processIdentifier, SIGKILL) }

    func environment(token: String) -> [String: String] {
        [
            "HF_ENDPOINT": "http://127.0.0.1:\(port)/cut", "HF_TOKEN": token,
            "NARRATOR_MODELS": "\(scratch.path)/store"
        ]
    }

    /// Names in the header of a safetensors file.
    private static func tensors(of file: String) throws -> [String] {
        let data = try Data(contentsOf: URL(filePath: file))
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any]
        return header?.keys.filter { $0 != "__metadata__" } ?? []
    }
}
