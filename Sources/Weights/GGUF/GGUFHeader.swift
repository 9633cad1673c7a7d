import Foundation

/// What a GGUF file tells beside its tensors: values by key.
///
/// Opening a file finds where each value lies and no more, for a vocabulary is a quarter of a million texts; a value is
/// read when it is asked for.
package struct GGUFHeader: Sendable {
    struct Stored {
        let kind: GGUFKind  // of the elements, if it is an array
        let count: Int?  // of an array
        let bytes: Range<Int>  // of the value; of an array, of its elements
    }

    static let defaultAlignment = 32

    /// Of the format: 2 or 3.
    package let version: Int
    /// What every tensor's place in the file is a multiple of.
    package let alignment: Int
    let path: String
    private let data: Data
    private let values: [String: Stored]

    init(path: String, data: Data, version: Int, values: [String: Stored]) throws(WeightsError) {
        (self.path, self.data, self.version, self.values) = (path, data, version, values)
        guard let stored = values["general.alignment"] else {
            alignment = Self.defaultAlignment
            return
        }
        var reader = ByteReader(path: path, data: data)
        _ = try reader.skip(stored.bytes.lowerBound, "the alignment")
        let claimed = try reader.number(UInt32.self, "the alignment")
        guard stored.kind == .uint32, stored.count == nil, claimed.nonzeroBitCount == 1, claimed <= 1 << 20 else {
            throw .damaged(path: path, offset: stored.bytes.lowerBound, what: "an alignment that is no power of two")
        }
        alignment = claimed
    }

    /// Sorted.
    package var keys: [String] { values.keys.sorted() }

    package func contains(_ key: String) -> Bool { values[key] != nil }

    /// What the model is, `gemma3n` for instance.
    /// - Throws: `WeightsError.noSuchValue`, `.wrongValue`; so do all below.
    package var architecture: String { get throws(WeightsError) { try text("general.architecture") } }

    /// A whole number of any width.
    package func integer(_ key: String) throws(WeightsError) -> Int {
        try scalar(key, "a whole number") { integers($0)?.first }
    }

    /// A float32, or a float64 that is rounded.
    package func float(_ key: String) throws(WeightsError) -> Float { try scalar(key, "a float") { floats($0)?.first } }

    package func flag(_ key: String) throws(WeightsError) -> Bool {
        try scalar(key, "a truth value") { flags($0)?.first }
    }

    package func text(_ key: String) throws(WeightsError) -> String {
        try scalar(key, "a text in UTF-8") { texts($0)?.first }
    }

    package func integers(_ key: String) throws(WeightsError) -> [Int] {
        try array(key, "an array of whole numbers", integers)
    }

    package func floats(_ key: String) throws(WeightsError) -> [Float] { try array(key, "an array of floats", floats) }

    package func flags(_ key: String) throws(WeightsError) -> [Bool] {
        try array(key, "an array of truth values", flags)
    }

    package func texts(_ key: String) throws(WeightsError) -> [String] {
        try array(key, "an array of texts in UTF-8", texts)
    }

    /// Elements of an array, which stay unread.
    package func count(of key: String) throws(WeightsError) -> Int { try array(key, "an array") { $0.count } }

    /// The value as it is, for another file.
    package func value(_ key: String) throws(WeightsError) -> GGUFValue {
        guard let stored = values[key] else { throw .noSuchValue(path: path, key: key) }
        let bytes = [UInt8](data[stored.bytes])
        guard let count = stored.count else { return GGUFValue(kind: stored.kind, bytes: bytes) }
        let head = GGUFValue.encoded(stored.kind.rawValue) + GGUFValue.encoded(UInt64(count))
        return GGUFValue(kind: .array, bytes: head + bytes)
    }
}

extension GGUFHeader {
    private func scalar<Value>(
        _ key: String, _ wanted: String, _ read: (Stored) -> Value?
    ) throws(WeightsError) -> Value {
        try value(key, wanted, isArray: false, read)
    }

    private func array<Value>(
        _ key: String, _ wanted: String, _ read: (Stored) -> Value?
    ) throws(WeightsError) -> Value {
        try value(key, wanted, isArray: true, read)
    }

    private func value<Value>(
        _ key: String, _ wanted: String, isArray: Bool, _ read: (Stored) -> Value?
    ) throws(WeightsError) -> Value {
        guard let stored = values[key] else { throw .noSuchValue(path: path, key: key) }
        guard (stored.count != nil) == isArray, let value = read(stored) else {
            let found = stored.count.map { "an array of \($0) \(stored.kind)" } ?? "\(stored.kind)"
            throw .wrongValue(path: path, key: key, found: found, wanted: wanted)
        }
        return value
    }

    /// Nil unless all fit an `Int`.
    private func integers(_ stored: Stored) -> [Int]? {
        switch stored.kind {
        case .uint8: numbers(stored) { (number: UInt8) in Int(number) }
        case .int8: numbers(stored) { (number: Int8) in Int(number) }
        case .uint16: numbers(stored) { (number: UInt16) in Int(number) }
        case .int16: numbers(stored) { (number: Int16) in Int(number) }
        case .uint32: numbers(stored) { (number: UInt32) in Int(number) }
        case .int32: numbers(stored) { (number: Int32) in Int(number) }
        case .int64: numbers(stored) { (number: Int64) in Int(number) }
        case .uint64: numbers(stored) { (number: UInt64) in Int(exactly: number) }
        case .float32, .float64, .flag, .text, .array: nil
        }
    }

    private func floats(_ stored: Stored) -> [Float]? {
        switch stored.kind {
        case .float32: numbers(stored) { (bits: UInt32) in Float(bitPattern: bits) }
        case .float64: numbers(stored) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        default: nil
        }
    }

    private func flags(_ stored: Stored) -> [Bool]? {
        stored.kind == .flag ? numbers(stored) { (byte: UInt8) in byte != 0 } : nil
    }

    /// Inlined into each case above, so that the loop knows its types.
    @inline(__always)
    private func numbers<Number: FixedWidthInteger & BitwiseCopyable, Value>(
        _ stored: Stored, _ read: (Number) -> Value?
    ) -> [Value]? {
        let size = MemoryLayout<Number>.size
        return data.withUnsafeBytes { file in
            var values: [Value] = []
            values.reserveCapacity(stored.bytes.count / size)
            for offset in stride(from: stored.bytes.lowerBound, to: stored.bytes.upperBound, by: size) {
                let number = Number(littleEndian: file.loadUnaligned(fromByteOffset: offset, as: Number.self))
                guard let value = read(number) else { return nil }
                values.append(value)
            }
            return values
        }
    }

    /// Their lengths were checked when the file was opened.
    private func texts(_ stored: Stored) -> [String]? {
        guard stored.kind == .text else { return nil }
        return data.withUnsafeBytes { file in
            var texts: [String] = []
            texts.reserveCapacity(stored.count ?? 1)
            var offset = stored.bytes.lowerBound
            while offset < stored.bytes.upperBound {
                let length = Int(UInt64(littleEndian: file.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                let bytes = UnsafeRawBufferPointer(rebasing: file[offset + 8..<offset + 8 + length])
                guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
                texts.append(text)
                offset += 8 + length
            }
            return texts
        }
    }
}
