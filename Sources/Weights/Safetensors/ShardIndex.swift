import Foundation

/// Reads `model.safetensors.index.json`, which tells in which file of its folder each tensor lies.
///
/// ```
/// {"metadata": {...}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", ...}}
/// ```
/// What the index says and what the shards hold must be the same: no tensor twice, none missing, none left over.
struct ShardIndex {
    static let suffix = ".safetensors.index.json"
    /// Far beyond any checkpoint's: 70 kB tell of 700 tensors.
    static let (maxBytes, maxShards) = (16_000_000, 1_000)

    private let path: String
    private var shardOf: [String: String] = [:]  // tensor → file name

    init(path: String) throws(WeightsError) {
        self.path = path
        let file = try MappedFile(path)
        guard file.data.count <= Self.maxBytes else {
            throw .damaged(path: path, offset: 0, what: "an index of \(file.data.count) bytes")
        }
        var json = JSONScanner(path: path, bytes: [UInt8](file.data), fileOffset: 0)
        try json.expect("{")
        var sawMap = false
        repeat {
            let key = try json.string()
            try json.expect(":")
            if key == "weight_map" {
                guard !sawMap else { throw json.damaged("a second weight_map") }
                sawMap = true
                try readMap(&json)
            } else {
                try json.skipValue()
            }
        } while json.consume(",")
        try json.expect("}")
        try json.expectEnd()
        guard !shardOf.isEmpty else { throw json.damaged("no tensor in weight_map") }
    }

    private mutating func readMap(_ json: inout JSONScanner) throws(WeightsError) {
        try json.expect("{")
        if json.consume("}") { return }
        var shards: Set<String> = []
        repeat {
            let name = try json.string()
            try json.expect(":")
            let shard = try json.string()
            // A plain name of this folder: an index leads nowhere else. By bytes, for to `Character` a slash with an accent is
            // no slash.
            let bytes = shard.utf8
            guard shard.hasSuffix(".safetensors"), bytes.count <= 255, !bytes.contains(UInt8(ascii: "/")),
                !bytes.contains(0)
            else { throw json.damaged("'\(name)' lies in '\(shard)', which is no name of a safetensors file") }
            shards.insert(shard)
            guard shards.count <= Self.maxShards else { throw json.damaged("more than \(Self.maxShards) files") }
            guard shardOf.updateValue(shard, forKey: name) == nil else { throw json.damaged("a second '\(name)'") }
        } while json.consume(",")
        try json.expect("}")
    }

    /// Maps the shards and joins their directories.
    func open() throws(WeightsError) -> (directory: TensorDirectory, texts: [String: String], files: [MappedFile]) {
        let folder = (path as NSString).deletingLastPathComponent
        var directory = TensorDirectory()
        var texts: [String: String] = [:]
        var files: [MappedFile] = []
        for shard in Set(shardOf.values).sorted() {
            let shardPath = (folder as NSString).appendingPathComponent(shard)
            let file: MappedFile
            do {
                file = try MappedFile(shardPath)
            } catch .notFound {
                throw .missingShard(path: shardPath, index: path)
            }
            let reader = try SafetensorsReader(path: shardPath, data: file.data, file: files.count)
            for entry in reader.directory.entries.values {
                // A name is in the index once, so no other shard can have given it already.
                guard shardOf[entry.name] == shard, directory.add(entry) else {
                    let place = shardOf[entry.name].map { "has in '\($0)'" } ?? "does not name"
                    throw .damaged(
                        path: shardPath, offset: entry.byteRange.lowerBound,
                        what: "it holds '\(entry.name)', which the index \(place)")
                }
            }
            texts.merge(reader.texts) { first, _ in first }
            files.append(file)
        }
        for (name, shard) in shardOf where directory.entries[name] == nil {
            let shardPath = (folder as NSString).appendingPathComponent(shard)
            throw .damaged(path: shardPath, offset: 0, what: "it lacks '\(name)', which the index has in it")
        }
        return (directory, texts, files)
    }
}
