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
        let pulled = try Program.run(
            "models", "pull", "gemma-3n-e2b", "--weights", "q4", "-v", environment: environment)
        #expect(pulled.status == 0 && pulled.errors.contains("Gemma Terms of Use"), "\(pulled)")
        #expect(pulled.errors.contains("are deleted"))
        #expect(!(pulled.output + pulled.errors).contains("good"), "the token is not told")
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
        let result = try Program.run(
            "models", "pull", "gemma-3n-e4b", "-v", environment: hub.environment(token: token))
        #expect(token.isEmpty || !result.errors.contains("'\(token)'") && !result.errors.contains(" \(token)"))
        #expect(result.status == 77 && result.errors.contains("HF_TOKEN"), "\(result)")
        #expect(result.errors.contains("licence") && result.errors.contains("google/gemma-3n-E4B-it"))
    }

    @Test func aPullThatWasKilledIsGoneOnWithAndTwoAtOnceFetchOnce() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let hub = try Hub(of: nano, in: scratch)
        defer { hub.stop() }
        let environment = hub.environment(token: "good", kind: "stuck")
        let first = Program(["models", "pull", "gemma-3n-e2b", "--quiet"], environment: environment)
        try first.start()
        let part = "\(scratch.path)/store/.pull/gemma-3n-e2b/\(Hub.shard).part"
        func arrived() -> Int {
            (try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int) ?? 0
        }
        for _ in 0..<1_000 where arrived() < hub.shardBytes / 2 { usleep(20_000) }
        kill(first.process.processIdentifier, SIGKILL)
        _ = first.finish()
        #expect(arrived() == hub.shardBytes / 2)

        let others = (0..<2).map { _ in
            Program(["models", "pull", "gemma-3n-e2b", "--threads", "1"], environment: environment)
        }
        for other in others { try other.start() }
        for result in others.map({ $0.finish() }) { #expect(result.status == 0, "\(result)") }
        let log = try hub.log().filter { $0.hasPrefix("store GET") }
        #expect(log == ["store GET \(Hub.shard) whole", "store GET \(Hub.shard) bytes=\(hub.shardBytes / 2)-"])
        let question = "What comes after three?"
        #expect(
            try Program.run("ask", "--model", "gemma-3n-e2b", question, environment: environment).output == "four\n")
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
    static let shard = "model-00001-of-00001.safetensors"
    let shardBytes: Int

    init(of model: String, in scratch: Scratch) throws {
        self.scratch = scratch
        let folder = "\(scratch.path)/hub"
        let shard = Self.shard
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json"] {
            try FileManager.default.copyItem(atPath: "\(model)/\(name)", toPath: "\(folder)/\(name)")
        }
        try FileManager.default.copyItem(atPath: "\(model)/model.safetensors", toPath: "\(folder)/\(shard)")
        let names = try Self.tensors(of: "\(folder)/\(shard)")
        let index = ["weight_map": Dictionary(uniqueKeysWithValues: names.map { ($0, shard) })]
        shardBytes =
            try FileManager.default.attributesOfItem(atPath: "\(folder)/\(shard)")[.size] as? Int ?? 0
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

    func log() throws -> [String] {
        String(decoding: try Data(contentsOf: URL(string: "http://127.0.0.1:\(port)/log")!), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    func environment(token: String, kind: String = "cut") -> [String: String] {
        [
            "HF_ENDPOINT": "http://127.0.0.1:\(port)/\(kind)", "HF_TOKEN": token,
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
