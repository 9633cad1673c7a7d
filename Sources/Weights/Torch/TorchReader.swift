import Foundation

/// Reads the directory of what `torch.save` wrote of a dictionary of tensors: before version 1.6 five pickles and the
/// storages after them, since then a zip archive.
///
/// ```
/// pickle magic │ pickle 1001 │ pickle of the system │ pickle of the dictionary │ pickle of the keys │ n × (u64 count, elements)
/// zip: NAME/data.pkl, the dictionary │ NAME/data/KEY, the elements of a storage, not compressed │ ...
/// ```
struct TorchReader {
    static let zipMagic: [UInt8] = Array("PK\u{3}\u{4}".utf8)
    /// Protocol 2, then the number 0x1950A86A20F9469CFC6C, then the end: what the old format begins with.
    static let magic: [UInt8] = [
        0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E
    ]

    private(set) var directory = TensorDirectory()

    static func recognises(_ data: Data) -> Bool {
        data.starts(with: magic) || data.starts(with: zipMagic)
    }

    init(path: String, data: Data) throws(WeightsError) {
        if data.starts(with: Self.zipMagic) {
            try readArchive(path: path, data: data)
        } else {
            try readPickles(path: path, data: data)
        }
    }

    private mutating func readPickles(path: String, data: Data) throws(WeightsError) {
        var reader = ByteReader(path: path, data: data)
        _ = try reader.skip(Self.magic.count, "the magic number")
        guard case .integer(1001) = try PickleMachine.load(&reader) else {
            throw reader.damaged("a protocol of torch other than 1001")
        }
        guard case .dictionary = try PickleMachine.load(&reader) else {
            throw reader.damaged("no account of the system")
        }
        let tensors = try Self.tensors(&reader)
        guard case .list(let keys) = try PickleMachine.load(&reader) else {
            throw reader.damaged("no list of storages")
        }
        let storages = try Self.storages(of: tensors, reader)
        var positions: [String: Int] = [:]
        for key in keys.texts {
            guard let storage = storages[key] else { throw reader.damaged("a storage that no tensor uses") }
            let count = try reader.number(UInt64.self, "the length of a storage")
            guard count == storage.count, let bytes = storage.type.byteCount(shape: [count]) else {
                throw reader.damaged("a storage of \(count) elements where \(storage.count) were announced")
            }
            let range = try reader.skip(bytes, "a storage")
            guard positions.updateValue(range.lowerBound, forKey: key) == nil else {
                throw reader.damaged("a second storage of one name")
            }
        }
        guard reader.remaining == 0 else { throw reader.damaged("\(reader.remaining) bytes follow the last storage") }
        try add(tensors, at: positions, reader)
    }

    private mutating func readArchive(path: String, data: Data) throws(WeightsError) {
        let archive = try StoredArchive(path: path, data: data)
        guard let pickle = archive.files.first(where: { $0.key.hasSuffix("/data.pkl") }) else {
            throw .damaged(path: path, offset: 0, what: "an archive without data.pkl")
        }
        let folder = pickle.key.dropLast("data.pkl".count)
        // A pickle that runs on into the next file would be read to its end, but builds no more than tensors there.
        var reader = ByteReader(path: path, data: data)
        _ = try reader.skip(pickle.value.lowerBound, "data.pkl")
        let tensors = try Self.tensors(&reader)
        var positions: [String: Int] = [:]
        for (key, storage) in try Self.storages(of: tensors, reader) {
            guard let file = archive.files["\(folder)data/\(key)"],
                file.count == storage.type.byteCount(shape: [storage.count])
            else { throw reader.damaged("the storage of \(storage.count) elements is missing or of another length") }
            positions[key] = file.lowerBound
        }
        try add(tensors, at: positions, reader)
    }

    private static func tensors(_ reader: inout ByteReader) throws(WeightsError) -> [(
        name: String, tensor: PickleTensor
    )] {
        guard case .dictionary(let dictionary) = try PickleMachine.load(&reader) else {
            throw reader.damaged("what was saved is no dictionary of tensors")
        }
        guard !dictionary.tensors.isEmpty else { throw reader.damaged("a dictionary without tensors") }
        return dictionary.tensors
    }

    private static func storages(
        of tensors: [(name: String, tensor: PickleTensor)], _ reader: ByteReader
    ) throws(WeightsError) -> [String: PickleStorage] {
        var storages: [String: PickleStorage] = [:]
        for (_, tensor) in tensors {
            let storage = tensor.storage
            guard storages.updateValue(storage, forKey: storage.key) ?? storage == storage else {
                throw reader.damaged("two storages of one name")
            }
        }
        return storages
    }

    private mutating func add(
        _ tensors: [(name: String, tensor: PickleTensor)], at positions: [String: Int], _ reader: ByteReader
    ) throws(WeightsError) {
        for (name, tensor) in tensors {
            let type = tensor.storage.type
            guard let position = positions[tensor.storage.key],
                let bytes = type.byteCount(shape: tensor.shape)
            else { throw reader.damaged("a tensor whose storage is missing") }
            let start = position + tensor.offset * type.blockBytes  // fits: the storage does, and holds the tensor
            let entry = TensorEntry(
                name: name, shape: tensor.shape, type: type, byteRange: start..<start + bytes,
                axisOrder: tensor.axisOrder)
            guard directory.add(entry) else { throw reader.damaged("a second tensor of one name") }
        }
    }
}
