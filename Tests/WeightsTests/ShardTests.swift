import Foundation
import Testing
import Weights

struct ShardTests {
    typealias Shard = (name: String, tensors: [(name: String, value: Float)])

    static let shards: [Shard] = [
        ("model-00001-of-00002.safetensors", [("a", 1), ("b", 2)]), ("model-00002-of-00002.safetensors", [("c", 3)])
    ]

    /// An index, in a folder with shards of scalars.
    static func index(file text: String, shards: [Shard] = shards) throws -> TemporaryFile {
        let index = try TemporaryFile(Array(text.utf8), name: "model.safetensors.index.json")
        for shard in shards {
            let header = shard.tensors.enumerated().map { number, tensor in
                #""\#(tensor.name)":{"dtype":"F32","shape":[],"data_offsets":[\#(4 * number),\#(4 * number + 4)]}"#
            }
            let payload = littleEndian(shard.tensors.map(\.value.bitPattern))
            try write(
                safetensors("{\(header.joined(separator: ","))}", payload: payload), to: "\(index.folder)/\(shard.name)"
            )
        }
        return index
    }

    static func index(_ map: [(String, String)]) -> String {
        let entries = map.map { #""\#($0)": "\#($1)""# }
        return
            #"{"metadata": {"total_size": 1.2e1, "x": [{}, [null, true]]}, "weight_map": {\#(entries.joined(separator: ", "))}}"#
    }

    static let map = shards.flatMap { shard in shard.tensors.map { ($0.name, shard.name) } }

    @Test func readsAllShardsAsOneCheckpoint() throws {
        let index = try Self.index(file: Self.index(Self.map))
        for path in [index.folder, index.path] {
            let checkpoint = try Checkpoint.open(path)
            #expect(checkpoint.format == .safetensors && checkpoint.path == index.path)
            #expect(checkpoint.files == Self.shards.map { "\(index.folder)/\($0.name)" })
            #expect(checkpoint.names == ["a", "b", "c"])
            #expect(["a", "b", "c"].map { checkpoint.entry($0)?.file } == [0, 0, 1])
            for (name, value) in Self.shards.flatMap(\.tensors) {
                #expect(try checkpoint.floats(name, shape: []) == [value])
                #expect(try checkpoint.bytes(name).count == 4)
            }
        }
    }

    /// Files that the index does not name are none of our business.
    @Test func otherFilesBesideTheIndexAreLeftAlone() throws {
        let index = try Self.index(file: Self.index(Self.map))
        try write([1], to: "\(index.folder)/consolidated.safetensors")
        #expect(try Checkpoint.open(index.folder).names.count == 3)
    }

    @Test func severalFilesWithoutAnIndexAreRefused() throws {
        let index = try Self.index(file: "")
        try FileManager.default.removeItem(atPath: index.path)
        #expect(throws: WeightsError.ambiguous(path: index.folder, candidates: Self.shards.map(\.name))) {
            try Checkpoint.open(index.folder)
        }
    }

    @Test func namesTheShardThatIsMissing() throws {
        let index = try Self.index(file: Self.index(Self.map), shards: [Self.shards[0]])
        let missing = "\(index.folder)/\(Self.shards[1].name)"
        #expect(throws: WeightsError.missingShard(path: missing, index: index.path)) {
            try Checkpoint.open(index.folder)
        }
    }

    static let first = shards[0].name
    static let second = shards[1].name

    @Test(arguments: [
        (map + [("d", second)], second, "it lacks 'd', which the index has in it"),
        (Array(map.dropLast()) + [("d", second)], second, "it holds 'c', which the index does not name"),
        ([("a", first), ("b", second), ("c", second)], first, "it holds 'b', which the index has in '\(second)'")
    ])
    func namesTheShardThatContradictsTheIndex(map: [(String, String)], shard: String, what: String) throws {
        let index = try Self.index(file: Self.index(map))
        do {
            _ = try Checkpoint.open(index.folder)
            Issue.record("opened")
        } catch .damaged(let path, _, let found) {
            #expect(path == "\(index.folder)/\(shard)" && found == what)
        }
    }

    @Test func namesTheShardThatIsDamaged() throws {
        let index = try Self.index(file: Self.index(Self.map))
        for damage in [[], Array("{}".utf8), safetensors("{}", payload: [1])] as [[UInt8]] {
            try write(damage, to: "\(index.folder)/\(Self.second)")
            do {
                _ = try Checkpoint.open(index.folder)
                Issue.record("opened")
            } catch .damaged(let path, _, _) {
                #expect(path == "\(index.folder)/\(Self.second)")
            }
        }
    }

    /// An index leads to plain names in its own folder.
    @Test(arguments: [
        "../model.safetensors", "/etc/model.safetensors", "a/b.safetensors", "../\u{301}b.safetensors", "..", ".", "",
        "model.bin",
        "a\\u0000.safetensors", String(repeating: "a", count: 250) + ".safetensors"
    ])
    func refusesShardNamesThatLeadElsewhere(name: String) throws {
        let index = try Self.index(file: Self.index(Self.map + [("d", name)]))
        try refuses(index)
    }

    @Test(arguments: [
        "", "{", "{}", "[]", "null", #"{"weight_map": {}}"#, #"{"weight_map": []}"#, #"{"weight_map": {"a": 1}}"#,
        #"{"weight_map": {"a": ["model.safetensors"]}}"#, #"{"metadata": , "weight_map": {}}"#,
        #"{"weight_map": {"a": "x.safetensors"}, "weight_map": {"a": "x.safetensors"}}"#,
        index(map + [map[0]]), index(map) + "x", "{\"metadata\": " + String(repeating: "[", count: 100_000),
        "{\"metadata\": " + String(repeating: "[", count: 1_000) + String(repeating: "]", count: 999) + "}"
    ])
    func refusesAnIndexThatIsNone(text: String) throws {
        try refuses(Self.index(file: text))
    }

    @Test func refusesAnIndexBeyondAllMeasure() throws {
        let index = try Self.index(file: Self.index(Self.map))
        truncate(index.path, 16_000_001)  // sparse
        try refuses(index)
    }

    @Test func refusesMoreFilesThanACheckpointHas() throws {
        try refuses(Self.index(file: Self.index((0...1_000).map { ("t\($0)", "s\($0).safetensors") })))
    }

    private func refuses(_ index: borrowing TemporaryFile) throws {
        do {
            _ = try Checkpoint.open(index.folder)
            Issue.record("opened")
        } catch .damaged(let path, _, _) {
            #expect(path == index.path)
        }
    }
}
