/// A pickle of protocol 2, instruction by instruction, so that a test can lie in each.
struct Pickle {
    var bytes: [UInt8] = [0x80, 2]

    func then(_ more: [UInt8]) -> Pickle { Pickle(bytes: bytes + more) }
    func text(_ text: String) -> Pickle { then([0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)) }
    func integer(_ value: Int) -> Pickle { then([0x4A] + littleEndian(Int32(value))) }
    func call(_ module: String, _ name: String) -> Pickle { then(Array("c\(module)\n\(name)\n".utf8)) }
    var mark: Pickle { then([0x28]) }
    var tuple: Pickle { then([0x74]) }
    var reduce: Pickle { then([0x52]) }
    var emptyDictionary: Pickle { then([0x7D]) }
    var end: [UInt8] { bytes + [0x2E] }

    func integers(_ values: [Int]) -> Pickle { values.reduce(mark) { $0.integer($1) }.tuple }

    func storage(_ key: String, count: Int, type: String = "FloatStorage") -> Pickle {
        mark.text("storage").call("torch", type).text(key).text("cpu").integer(count).then([0x74, 0x51])
    }

    func tensor(
        _ key: String, count: Int, offset: Int = 0, shape: [Int], strides: [Int], type: String = "FloatStorage"
    ) -> Pickle {
        call("torch._utils", "_rebuild_tensor_v2").mark.storage(key, count: count, type: type).integer(offset)
            .integers(shape).integers(strides).then([0x89]).call("collections", "OrderedDict").then([0x29, 0x52]).tuple
            .reduce
    }
}

/// A checkpoint of torch before 1.6, part by part.
struct TorchFile {
    struct Tensor {
        var name: String
        var shape: [Int]
        var strides: [Int]
        var offset = 0
        var key: String
        var count: Int
        var type = "FloatStorage"
    }

    var tensors: [Tensor] = []
    /// In the order of the file: key, claimed elements, bytes.
    var storages: [(key: String, claimed: UInt64, bytes: [UInt8])] = []
    var pickle: [UInt8]?
    var tail: [UInt8] = []

    static let start: [UInt8] =
        [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
        + [0x80, 2, 0x4D, 0xE9, 3, 0x2E]
        + Pickle().emptyDictionary.mark.text("little_endian").then([0x88, 0x75]).end

    var bytes: [UInt8] {
        var state = Pickle().emptyDictionary.mark
        for tensor in tensors {
            state = state.text(tensor.name).tensor(
                tensor.key, count: tensor.count, offset: tensor.offset, shape: tensor.shape, strides: tensor.strides,
                type: tensor.type)
        }
        let keys = storages.reduce(Pickle().then([0x5D]).mark) { $0.text($1.key) }.then([0x65]).end
        let payload = storages.flatMap { littleEndian($0.claimed) + $0.bytes }
        return Self.start + (pickle ?? state.then([0x75]).end) + keys + payload + tail
    }

    /// Row-major, turned, a scalar, two tensors of one storage, half precision.
    static let sample = TorchFile(
        tensors: [
            Tensor(name: "plain", shape: [2, 3], strides: [3, 1], key: "1", count: 6),
            Tensor(name: "turned", shape: [3, 2], strides: [1, 3], key: "1", count: 6),
            Tensor(name: "tail", shape: [1, 2, 1], strides: [9, 1, 7], offset: 4, key: "1", count: 6),
            Tensor(name: "count", shape: [], strides: [], key: "2", count: 1, type: "LongStorage"),
            Tensor(name: "half", shape: [2], strides: [1], key: "3", count: 2, type: "HalfStorage"),
            Tensor(name: "none", shape: [0, 4], strides: [4, 1], key: "3", count: 2, type: "HalfStorage")
        ],
        storages: [
            ("2", 1, littleEndian(Int64(-5))),
            ("1", 6, littleEndian((1...6).map { Float($0).bitPattern })),
            ("3", 2, littleEndian([UInt16(0x3C00), 0xC000]))
        ])
}

/// A zip archive of files that are stored as they are.
struct ZipFile {
    var files: [(name: String, bytes: [UInt8])]
    var method: UInt16 = 0
    var claimedBytes: UInt32?
    var claimedOffset: UInt32?
    var claimedFiles: UInt16?
    var comment: [UInt8] = []

    var bytes: [UInt8] {
        var (body, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, bytes) in files {
            let size = claimedBytes ?? UInt32(bytes.count)
            let common =
                littleEndian(UInt16(0), method, UInt16(0), UInt16(0)) + littleEndian(UInt32(0), size, size)
                + littleEndian(UInt16(name.utf8.count))
            directory +=
                Array("PK\u{1}\u{2}".utf8) + littleEndian(UInt16(0), UInt16(0)) + common
                + littleEndian(UInt16(0), UInt16(0), UInt16(0), UInt16(0)) + littleEndian(UInt32(0))
                + littleEndian(claimedOffset ?? UInt32(body.count)) + Array(name.utf8)
            body += Array("PK\u{3}\u{4}".utf8) + littleEndian(UInt16(0)) + common + littleEndian(UInt16(0))
            body += Array(name.utf8) + bytes
        }
        let count = claimedFiles ?? UInt16(files.count)
        return body + directory + Array("PK\u{5}\u{6}".utf8) + littleEndian(UInt16(0), UInt16(0), count, count)
            + littleEndian(UInt32(directory.count), UInt32(body.count)) + littleEndian(UInt16(comment.count)) + comment
    }

    static let sample = ZipFile(files: [
        (
            "archive/data.pkl",
            Pickle().emptyDictionary.mark.text("w").tensor("0", count: 2, shape: [2], strides: [1]).then([0x75]).end
        ),
        ("archive/data/0", littleEndian([Float(2).bitPattern, Float(-3).bitPattern])),
        ("archive/version", [0x33, 0x0A])
    ])
}
