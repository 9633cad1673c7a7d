import Foundation

/// Reads the directory of a GGUF file.
///
/// ```
/// "GGUF" │ u32 version │ u64 n │ u64 m │ m × (text key, u32 kind, value) │ n × tensor │ padding │ payloads, each padded
/// text   = u64 length, bytes          array = u32 kind, u64 count, elements
/// tensor = text name, u32 rank, rank × u64 dimension, innermost first, u32 type, u64 offset from the first payload
/// ```
struct GGUFReader {
    static let versions = 2...3  // 1 counted in 32 bits
    static let magic = Array("GGUF".utf8)
    /// Bounds on what is kept of a file: far beyond any model's, and small for a machine.
    static let (maxTensors, maxValues, maxNameBytes) = (100_000, 100_000, 1_024)

    private(set) var directory = TensorDirectory()
    let header: GGUFHeader
    private let path: String
    private var reader: ByteReader

    static func recognises(_ data: Data) -> Bool { data.starts(with: magic) }

    init(path: String, data: Data) throws(WeightsError) {
        var reader = ByteReader(path: path, data: data)
        _ = try reader.skip(Self.magic.count, "the magic number")
        let version = try reader.number(UInt32.self, "the version")
        guard version & 0xFFFF != 0 || version == 0 else {
            throw reader.damaged("a big-endian file, which cannot be read")
        }
        guard Self.versions.contains(version) else {
            throw .unsupportedVersion(path: path, format: "GGUF", version: version, supported: Self.versions)
        }
        let tensorCount = try reader.number(UInt64.self, "the number of tensors")
        let valueCount = try reader.number(UInt64.self, "the number of values")
        guard tensorCount <= Self.maxTensors, valueCount <= Self.maxValues else {
            throw reader.damaged("it claims \(tensorCount) tensors and \(valueCount) values")
        }
        var values: [String: GGUFHeader.Stored] = [:]
        for _ in 0..<valueCount {
            let key = try Self.text(&reader, "a key")
            guard values.updateValue(try Self.value(&reader, of: key), forKey: key) == nil else {
                throw reader.damaged("a second value '\(key)'")
            }
        }
        header = try GGUFHeader(path: path, data: data, version: version, values: values)
        self.path = path
        self.reader = reader
        try tensors(tensorCount)
    }

    private static func text(_ reader: inout ByteReader, _ what: String) throws(WeightsError) -> String {
        let length = try reader.number(UInt64.self, what)
        guard length <= maxNameBytes else { throw reader.damaged("\(what) of \(length) bytes") }
        let bytes = reader.data[try reader.skip(length, what)]
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw reader.damaged("\(what) that is not UTF-8")
        }
        return text
    }

    private static func value(
        _ reader: inout ByteReader, of key: String
    ) throws(WeightsError) -> GGUFHeader.Stored {
        let what = "the value '\(key)'"
        let kind = try self.kind(&reader, what)
        guard kind == .array else {
            let start = reader.offset
            try skip(1, of: kind, &reader, what)
            return GGUFHeader.Stored(kind: kind, count: nil, bytes: start..<reader.offset)
        }
        let element = try self.kind(&reader, what)
        guard element != .array else { throw reader.damaged("\(what) is an array of arrays") }
        let count = try reader.number(UInt64.self, what)
        let start = reader.offset
        try skip(count, of: element, &reader, what)
        return GGUFHeader.Stored(kind: element, count: count, bytes: start..<reader.offset)
    }

    private static func kind(_ reader: inout ByteReader, _ what: String) throws(WeightsError) -> GGUFKind {
        let number = try reader.number(UInt32.self, what)
        guard let kind = GGUFKind(rawValue: UInt32(number)) else {
            throw reader.damaged("\(what) is of unknown kind \(number)")
        }
        return kind
    }

    private static func skip(
        _ count: Int, of kind: GGUFKind, _ reader: inout ByteReader, _ what: String
    ) throws(WeightsError) {
        guard let size = kind.bytes else { return try reader.skipTexts(count, what) }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        _ = try reader.skip(overflow ? .max : bytes, what)
    }

    private mutating func tensors(_ count: Int) throws(WeightsError) {
        var found: [(name: String, shape: [Int], type: ElementType, offset: Int, bytes: Int)] = []
        for _ in 0..<count {
            let name = try Self.text(&reader, "the name of a tensor")
            let rank = try reader.number(UInt32.self, "the rank of '\(name)'")
            guard rank <= TensorEntry.maxRank else { throw reader.damaged("'\(name)' claims \(rank) dimensions") }
            var shape: [Int] = []
            for _ in 0..<rank { shape.append(try reader.number(UInt64.self, "the shape of '\(name)'")) }
            shape.reverse()  // innermost first in the file
            let typeID = try reader.number(UInt32.self, "the type of '\(name)'")
            guard let type = ElementType(ggml: typeID) else {
                throw .unsupportedType(path: path, name: name, type: ElementType.ggmlName(typeID))
            }
            guard let bytes = type.byteCount(shape: shape) else {
                throw reader.damaged("'\(name)' cannot be \(type.rawValue) \(shape)")
            }
            let offset = try reader.number(UInt64.self, "the place of '\(name)'")
            guard offset % header.alignment == 0 else {
                throw reader.damaged("'\(name)' lies at \(offset), not a multiple of \(header.alignment)")
            }
            found.append((name, shape, type, offset, bytes))
        }
        let start = (reader.offset + header.alignment - 1) / header.alignment * header.alignment
        let payloadBytes = max(reader.data.count - start, 0)
        for (name, shape, type, offset, bytes) in found {
            guard offset <= payloadBytes, bytes <= payloadBytes - offset else {
                throw reader.damaged("'\(name)' has \(bytes) bytes at \(offset) of \(payloadBytes)")
            }
            let range = (start + offset)..<(start + offset + bytes)
            guard directory.add(TensorEntry(name: name, shape: shape, type: type, byteRange: range)) else {
                throw reader.damaged("a second tensor '\(name)'")
            }
        }
        try checkOverlaps()
    }

    private func checkOverlaps() throws(WeightsError) {
        var end = 0
        let ranges = directory.entries.values.map(\.byteRange).filter { !$0.isEmpty }
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard range.lowerBound >= end else {
                throw .damaged(path: path, offset: range.lowerBound, what: "tensors overlap here")
            }
            end = range.upperBound
        }
    }
}

extension ElementType {
    /// By its number in GGUF files.
    init?(ggml number: Int) {
        guard let type = Self.ggmlNumbers.first(where: { $0.value == number })?.key else { return nil }
        self = type
    }

    /// Its number in GGUF files; nil if these cannot hold it.
    var ggmlNumber: UInt32? { Self.ggmlNumbers[self].map(UInt32.init) }

    private static let ggmlNumbers: [ElementType: Int] = [
        .float32: 0, .float16: 1, .q4_0: 2, .q4_1: 3, .q5_0: 6, .q5_1: 7, .q8_0: 8, .q4_K: 12, .q5_K: 13, .q6_K: 14,
        .int8: 24, .int16: 25, .int32: 26, .int64: 27, .float64: 28, .bfloat16: 30
    ]

    /// What others call a type that we do not read.
    static func ggmlName(_ number: Int) -> String {
        let names = [
            9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
            20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4"
        ]
        return names[number] ?? "type \(number)"
    }
}
