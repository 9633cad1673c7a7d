import Foundation

/// What a reader of one format hands to `Checkpoint`: the tensors and the second names some of them have.
struct TensorDirectory {
    private(set) var entries: [String: TensorEntry] = [:]
    private(set) var aliases: [String: String] = [:]  // alias → stored name

    /// False if the name is taken.
    mutating func add(_ entry: TensorEntry) -> Bool {
        guard aliases[entry.name] == nil else { return false }
        return entries.updateValue(entry, forKey: entry.name) == nil
    }

    /// False if the alias is taken or its target is not stored.
    mutating func add(alias: String, of target: String) -> Bool {
        guard entries[alias] == nil, entries[target] != nil else { return false }
        return aliases.updateValue(target, forKey: alias) == nil
    }
}

/// Reads little-endian numbers one after the other and never beyond the end.
struct ByteReader {
    let path: String
    let data: Data
    private(set) var offset = 0

    init(path: String, data: Data) {
        self.path = path
        self.data = data
    }

    var remaining: Int { data.count - offset }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type, _ what: String) throws(WeightsError) -> Int {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw damaged("it ends within \(what)") }
        let value = data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
        guard let number = Int(exactly: Number(littleEndian: value)) else { throw damaged("\(what) is absurd") }
        offset += size
        return number
    }

    mutating func skip(_ count: Int, _ what: String) throws(WeightsError) -> Range<Int> {
        guard count >= 0, count <= remaining else {
            throw damaged("\(what) claims \(count) bytes, \(remaining) are left")
        }
        defer { offset += count }
        return offset..<(offset + count)
    }

    /// Passes texts, each a u64 length and as many bytes: in one go, for a vocabulary has a quarter of a million.
    mutating func skipTexts(_ count: Int, _ what: String) throws(WeightsError) {
        let end: Int? = data.withUnsafeBytes { bytes in
            var position = offset
            for _ in 0..<count {
                guard bytes.count - position >= 8 else { return nil }
                let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                position += 8
                guard length <= UInt64(bytes.count - position) else { return nil }
                position += Int(length)
            }
            return position
        }
        guard let end else { throw damaged("the texts of \(what) go beyond the end") }
        offset = end
    }

    func damaged(_ what: String) -> WeightsError { .damaged(path: path, offset: offset, what: what) }
}
