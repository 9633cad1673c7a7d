package import Foundation

/// A checkpoint file, mapped into memory: the tensors of a model by name.
///
/// ```
/// model.bin ────► CTranslate2Reader ─┐
///                                    ├─► TensorDirectory ─► Checkpoint ─► floats, integer, bytes ─► models
/// *.safetensors ─► SafetensorsReader ┤
/// *.pth ────────► TorchReader ───────┘
/// ```
/// The file is hostile input: opening it checks every size and offset against the file, and nothing is allocated for
/// what the file merely claims. Payloads stay on disk until they are read and may begin at any byte.
package struct Checkpoint: Sendable {
    package enum Format: Sendable, Equatable {
        case ctranslate2(spec: String, revision: Int)
        case safetensors
        case torch
    }

    package let path: String
    package let format: Format
    /// Texts beside the tensors of a safetensors file, by name.
    package let metadata: [String: String]
    let data: Data
    private let entries: [String: TensorEntry]
    private let aliases: [String: String]

    /// Opens a `model.bin`, a safetensors file or a torch checkpoint, told apart by their content; of a folder, the checkpoint in it.
    /// - Throws: `WeightsError` when there is none, or anything in it does not add up.
    package static func open(_ path: String) throws(WeightsError) -> Checkpoint {
        try Checkpoint(file: try checkpointFile(path))
    }

    private init(file: String) throws(WeightsError) {
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file), options: .alwaysMapped)
        } catch {
            let reason = error.localizedDescription
            throw .unreadable(path: file, reason: reason.hasSuffix(".") ? String(reason.dropLast()) : reason)
        }
        path = file
        let directory: TensorDirectory
        var texts: [String: String] = [:]
        if TorchReader.recognises(data) {
            directory = try TorchReader(path: file, data: data).directory
            format = .torch
        } else if data.count > 8, data[8] == UInt8(ascii: "{") {  // the u64 before it is the header's length
            let reader = try SafetensorsReader(path: file, data: data)
            (directory, texts) = (reader.directory, reader.texts)
            format = .safetensors
        } else if data.count >= 4, data[0] < 32, data[1...3].allSatisfy({ $0 == 0 }) {  // a small version number, u32
            let reader = try CTranslate2Reader(path: file, data: data)
            directory = reader.directory
            format = .ctranslate2(spec: reader.spec, revision: reader.revision)
        } else {
            throw .unknownFormat(path: file)
        }
        metadata = texts
        entries = directory.entries
        aliases = directory.aliases
    }

    /// Names of the stored tensors, sorted; aliases are not among them.
    package var names: [String] { entries.keys.sorted() }

    /// The tensor of that name or alias.
    package func entry(_ name: String) -> TensorEntry? { entries[aliases[name] ?? name] }

    /// - Throws: `WeightsError.noSuchTensor`.
    package func shape(of name: String) throws(WeightsError) -> [Int] { try required(name).shape }

    /// The stored bytes, without a copy: in the entry's `axisOrder`, little-endian, not aligned.
    /// - Throws: `WeightsError.noSuchTensor`.
    package func bytes(_ name: String) throws(WeightsError) -> Data { data[try required(name).byteRange] }

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
        data.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: entry.byteRange.lowerBound, as: Number.self))
        }
    }

    func required(_ name: String) throws(WeightsError) -> TensorEntry {
        guard let entry = entry(name) else { throw .noSuchTensor(name: name) }
        return entry
    }

    private static func checkpointFile(_ path: String) throws(WeightsError) -> String {
        let files = FileManager.default
        var isFolder: ObjCBool = false
        guard files.fileExists(atPath: path, isDirectory: &isFolder) else { throw .notFound(path: path) }
        var file = path
        if isFolder.boolValue {
            let inside = (try? files.contentsOfDirectory(atPath: path)) ?? []
            let candidates =
                inside.contains("model.bin")
                ? ["model.bin"]
                : inside.filter { name in [".safetensors", ".pth", ".pt"].contains { name.hasSuffix($0) } }
            guard candidates.count == 1 else { throw .notFound(path: path) }
            file = (path as NSString).appendingPathComponent(candidates[0])
        }
        // A pipe or a device would block or never end.
        let kind = (try? files.attributesOfItem(atPath: URL(fileURLWithPath: file).resolvingSymlinksInPath().path))?[
            .type]
        guard kind as? FileAttributeType == .typeRegular else {
            throw .unreadable(path: file, reason: "it is not a plain file")
        }
        return file
    }
}
