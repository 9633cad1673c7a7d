package import Foundation
package import Kernels

/// A checkpoint, mapped into memory: the tensors of a model by name.
///
/// ```
/// *.gguf ───────► GGUFReader ────────┐
/// *.safetensors ─► SafetensorsReader ┤
///   └ *.index.json ─► ShardIndex ────┼─► TensorDirectory ─► Checkpoint ─► floats, integer, bytes, mapped ─► models
/// *.pth ────────► TorchReader ───────┤
/// model.bin ────► CTranslate2Reader ─┘
/// ```
/// Files are hostile input: opening them checks every size and offset against the file, and nothing is allocated for
/// what a file merely claims. Payloads stay on disk until they are read and may begin at any byte.
package struct Checkpoint: Sendable {
    package enum Format: Sendable, Equatable {
        case ctranslate2(spec: String, revision: Int)
        case gguf(version: Int)
        case safetensors
        case torch
    }

    /// The file; of a sharded checkpoint, its index.
    package let path: String
    package let format: Format
    /// The files that hold the tensors: one, or the shards in the order of their names.
    package var files: [String] { mapped.map(\.path) }
    /// Texts beside the tensors of a safetensors file, by name.
    package let metadata: [String: String]
    /// What a GGUF file tells beside its tensors; nil for other formats.
    package let header: GGUFHeader?
    private let mapped: [MappedFile]
    private let entries: [String: TensorEntry]
    private let aliases: [String: String]

    /// Opens a GGUF, safetensors, torch or CTranslate2 file, told apart by their content, or a `*.safetensors.index.json`
    /// with its shards; of a folder, the checkpoint in it.
    /// - Throws: `WeightsError` when there is none, or anything in it does not add up.
    package static func open(_ path: String) throws(WeightsError) -> Checkpoint {
        let file = try checkpointFile(path)
        return file.hasSuffix(ShardIndex.suffix) ? try Checkpoint(index: file) : try Checkpoint(MappedFile(file))
    }

    init(_ file: MappedFile) throws(WeightsError) {
        let (path, data) = (file.path, file.data)
        let directory: TensorDirectory
        var texts: [String: String] = [:]
        var header: GGUFHeader?
        if TorchReader.recognises(data) {
            directory = try TorchReader(path: path, data: data).directory
            format = .torch
        } else if GGUFReader.recognises(data) {
            let reader = try GGUFReader(path: path, data: data)
            (directory, header) = (reader.directory, reader.header)
            format = .gguf(version: reader.header.version)
        } else if data.count > 8, data[8] == UInt8(ascii: "{") {  // the u64 before it is the header's length
            let reader = try SafetensorsReader(path: path, data: data)
            (directory, texts) = (reader.directory, reader.texts)
            format = .safetensors
        } else if data.count >= 4, data[0] < 32, data[1...3].allSatisfy({ $0 == 0 }) {  // a small version number, u32
            let reader = try CTranslate2Reader(path: path, data: data)
            directory = reader.directory
            format = .ctranslate2(spec: reader.spec, revision: reader.revision)
        } else {
            throw .unknownFormat(path: path)
        }
        self.path = path
        self.header = header
        metadata = texts
        mapped = [file]
        entries = directory.entries
        aliases = directory.aliases
    }

    private init(index path: String) throws(WeightsError) {
        let shards = try ShardIndex(path: path).open()
        self.path = path
        format = .safetensors
        header = nil
        metadata = shards.texts
        mapped = shards.files
        entries = shards.directory.entries
        aliases = [:]
    }

    /// Names of the stored tensors, sorted; aliases are not among them.
    package var names: [String] { entries.keys.sorted() }

    /// The tensor of that name or alias.
    package func entry(_ name: String) -> TensorEntry? { entries[aliases[name] ?? name] }

    /// - Throws: `WeightsError.noSuchTensor`.
    package func shape(of name: String) throws(WeightsError) -> [Int] { try required(name).shape }

    /// The stored bytes, without a copy: in the entry's `axisOrder`, little-endian, not aligned.
    /// - Throws: `WeightsError.noSuchTensor`.
    package func bytes(_ name: String) throws(WeightsError) -> Data {
        let entry = try required(name)
        return mapped[entry.file].data[entry.byteRange]
    }

    /// The stored bytes where they lie in the mapped file, which lives as long as the region. `ByteRegion.isAligned` tells
    /// whether a kernel may work on them: always so in a file of `GGUFWriter`.
    /// - Throws: `WeightsError.noSuchTensor`, `.emptyTensor`.
    package func mapped(_ name: String) throws(WeightsError) -> ByteRegion {
        let entry = try required(name)
        guard !entry.byteRange.isEmpty else { throw .emptyTensor(name: name) }
        return mapped[entry.file].region[entry.byteRange]
    }

    /// Lets go of the memory that holds a tensor's pages: it is read from the file again when it is asked for again.
    package func discardPages(of name: String) {
        if let entry = entry(name), !entry.byteRange.isEmpty {
            mapped[entry.file].region[entry.byteRange].discardPages()
        }
    }

    /// The one element of a scalar of type int8, int16, int32, int64 or uint8.
    /// - Throws: `WeightsError.noSuchTensor`, `.wrongShape`, `.wrongType`.
    package func integer(_ name: String) throws(WeightsError) -> Int {
        let entry = try required(name)
        guard entry.count == 1 else { throw .wrongShape(name: name, found: entry.shape, expected: []) }
        return switch entry.type {
        case .int8: Int(first(Int8.self, of: entry))
        case .int16: Int(first(Int16.self, of: entry))
        case .int32: Int(first(Int32.self, of: entry))
        case .int64: Int(first(Int64.self, of: entry))
        case .uint8: Int(first(UInt8.self, of: entry))
        default: throw .wrongType(name: name, found: entry.type, wanted: "a whole number")
        }
    }

    private func first<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type, of entry: TensorEntry) -> Number {
        withBytes(of: entry) { Number(littleEndian: $0.loadUnaligned(as: Number.self)) }
    }

    /// The stored bytes of a tensor that has any.
    func withBytes<Result>(of entry: TensorEntry, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        mapped[entry.file].region[entry.byteRange].withBytes(body)
    }

    func required(_ name: String) throws(WeightsError) -> TensorEntry {
        guard let entry = entry(name) else { throw .noSuchTensor(name: name) }
        return entry
    }

    /// A folder's CTranslate2 model, else its index, else the only checkpoint in it.
    private static func checkpointFile(_ path: String) throws(WeightsError) -> String {
        let files = FileManager.default
        var isFolder: ObjCBool = false
        guard files.fileExists(atPath: path, isDirectory: &isFolder) else { throw .notFound(path: path) }
        guard isFolder.boolValue else { return path }
        let inside = (try? files.contentsOfDirectory(atPath: path)) ?? []
        let known = ["model.bin", "model" + ShardIndex.suffix].first(where: inside.contains)
        let suffixes = [".gguf", ".safetensors", ".pth", ".pt"]
        let candidates = inside.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted()
        guard candidates.count <= 1 || known != nil else { throw .ambiguous(path: path, candidates: candidates) }
        guard let file = known ?? candidates.first else { throw .notFound(path: path) }
        return (path as NSString).appendingPathComponent(file)
    }
}
