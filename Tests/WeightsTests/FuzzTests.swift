import Foundation
import Kernels
import TestSupport
import Testing
@testable import Weights

/// Reads damaged files for `FUZZ` seconds each (2 unless set): every one ends with values or with our error, and memory
/// stays small. A run is a function of its seed, `FUZZ_SEED`, which is printed: what crashed crashes again.
/// `make fuzz` runs them for ten minutes each with the address sanitizer, which sees a read beyond the end because files lie in
/// memory of their own size.
@Suite(.serialized) struct FuzzTests {
    static let environment = ProcessInfo.processInfo.environment
    static let seconds = environment["FUZZ"].flatMap(Double.init) ?? 2
    static let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? 4
    /// What a run may need at its peak beyond what it began with.
    static let maxGrowthKilobytes = 400_000

    @Test func safetensorsHeaders() throws {
        let words = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d\\ude00", "null", "\"dtype\":", "\"shape\":[",
            "\"data_offsets\":[", "\"F32\"", "\"BF16\"", "\"F64\"", "\"__metadata__\":{", "\"a.weight\":{"
        ]
        let corpus = [safetensorsSample] + Self.shards
        try run("safetensors headers", Mutator(corpus: corpus, words: words.map { Array($0.utf8) }, random: random)) {
            try Checkpoint(Self.memory($0))
        }
    }

    @Test func ggufHeaders() throws {
        let kinds = (UInt32(0)...31).map { littleEndian($0) }
        let texts = ["general.alignment", "general.architecture", "", "a.weight"].map { GGUFFile.text($0) }
        let corpus = try [GGUFFile.sample.bytes, [UInt8](Data(contentsOf: golden("header.gguf"))), Self.blocks.bytes]
        try run("GGUF headers", Mutator(corpus: corpus, words: kinds + texts, random: random)) {
            try Checkpoint(Self.memory($0))
        }
    }

    @Test func shardIndexes() throws {
        let words = [
            "{", "}", "[", "]", ",", ":", "\"", "../", "/", "\\u0000", "\"weight_map\":{", "\"a.weight\":", "1.5e3",
            "\"model-00001-of-00002.safetensors\"", "\"model-00003-of-00002.safetensors\"", "\"metadata\":", "null"
        ]
        let files = try TemporaryFile(Array(Self.index.utf8), name: "model.safetensors.index.json")
        for (number, shard) in Self.shards.enumerated() {
            try write(shard, to: "\(files.folder)/model-0000\(number + 1)-of-00002.safetensors")
        }
        let mutator = Mutator(
            corpus: [Array(Self.index.utf8)], words: words.map { Array($0.utf8) }, random: random)
        let path = files.path
        try run("shard indexes", mutator) {
            try write($0, to: path)
            return try Checkpoint.open(path)
        }
        #expect(FileManager.default.fileExists(atPath: files.path))  // and `files` lives until here
    }

    private var random: SplitMix64 { SplitMix64(seed: Self.seed) }

    private static func memory(_ bytes: [UInt8]) throws(WeightsError) -> MappedFile {
        guard !bytes.isEmpty else { throw .damaged(path: "fuzz", offset: 0, what: "it is empty") }
        let region = ByteRegion(byteCount: bytes.count) { target in
            for (index, byte) in bytes.enumerated() { target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self) }
        }
        return MappedFile(path: "fuzz", region: region)
    }

    private func run(_ what: String, _ mutator: Mutator, _ open: ([UInt8]) throws -> Checkpoint) throws {
        var mutator = mutator
        let before = Self.kilobytes("VmRSS:")
        try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)  // forgets the peak so far
        let end = ContinuousClock.now + .seconds(Self.seconds)
        var (executions, opened, sum) = (0, 0, 0)
        while ContinuousClock.now < end {
            executions += 1
            do {
                sum &+= readEverything(try open(mutator.next()))
                opened += 1
            } catch let error as WeightsError {
                #expect(!error.description.isEmpty)
            }
        }
        let growth = Self.kilobytes("VmHWM:") - before
        print(
            "fuzz: \(what), seed \(Self.seed): \(executions) files in \(Self.seconds) s, \(opened) opened, "
                + "\(growth / 1_024) MB at the peak, sum \(sum)")
        #expect(executions > 0 && growth < Self.maxGrowthKilobytes)
    }

    private static func kilobytes(_ key: String) -> Int {
        let lines = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix(key) } ?? ""
        return line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0
    }

    /// A tensor of every block type.
    private static let blocks: GGUFFile = {
        var file = GGUFFile()
        let types: [ElementType] = [.q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .q4_K, .q5_K, .q6_K]
        for type in types {
            file.tensors.append(
                GGUFFile.Tensor(
                    name: type.rawValue, dimensions: [256], type: type.ggmlNumber!,
                    offset: UInt64(file.payload.count)))
            let bytes = type.byteCount(shape: [256])!
            file.payload += [UInt8](repeating: 0x5A, count: (bytes + 31) / 32 * 32)
        }
        return file
    }()

    private static let shards = [
        safetensors(
            #"{"a.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, payload: [UInt8](repeating: 1, count: 8)),
        safetensors(
            #"{"b.weight":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"#
                + #""c":{"dtype":"F64","shape":[1],"data_offsets":[4,12]},"__metadata__":{"format":"pt"}}"#,
            payload: [UInt8](repeating: 1, count: 12))
    ]

    private static let index = """
        {"metadata": {"total_size": 20, "list": [1, {"a": null}]}, "weight_map": {
          "a.weight": "model-00001-of-00002.safetensors",
          "b.weight": "model-00002-of-00002.safetensors",
          "c": "model-00002-of-00002.safetensors"
        }}
        """
}
