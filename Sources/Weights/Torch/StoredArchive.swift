import Foundation

/// The directory of a zip archive whose files are stored as they are: what torch writes.
///
/// Compressed or encrypted files, split archives and those beyond 4 GB are refused.
struct StoredArchive {
    /// Name → where its bytes lie.
    private(set) var files: [String: Range<Int>] = [:]

    private static let maxFiles = 100_000
    private static let endBytes = 22

    init(path: String, data: Data) throws(WeightsError) {
        guard let end = Self.endRecord(data) else {
            throw .damaged(path: path, offset: data.count, what: "an archive without an end")
        }
        var reader = ByteReader(path: path, data: data)
        _ = try reader.skip(end + 10, "the archive")
        let count = try reader.number(UInt16.self, "the number of files")
        _ = try reader.skip(4, "the directory")
        let start = try reader.number(UInt32.self, "the directory")
        guard start <= end, count <= Self.maxFiles else { throw reader.damaged("a directory beyond the archive") }
        reader = ByteReader(path: path, data: data)
        _ = try reader.skip(start, "the directory")
        for _ in 0..<count { try readEntry(&reader) }
    }

    private mutating func readEntry(_ reader: inout ByteReader) throws(WeightsError) {
        guard try reader.number(UInt32.self, "the directory") == 0x0201_4B50 else {
            throw reader.damaged("no entry of the directory")
        }
        _ = try reader.skip(4, "an entry")
        let flags = try reader.number(UInt16.self, "an entry")
        let method = try reader.number(UInt16.self, "an entry")
        _ = try reader.skip(8, "an entry")  // time, date, check sum
        let packed = try reader.number(UInt32.self, "an entry")
        let bytes = try reader.number(UInt32.self, "an entry")
        let nameBytes = try reader.number(UInt16.self, "an entry")
        let extraBytes = try reader.number(UInt16.self, "an entry")
        let commentBytes = try reader.number(UInt16.self, "an entry")
        _ = try reader.skip(8, "an entry")
        let header = try reader.number(UInt32.self, "an entry")
        guard let name = String(validating: reader.data[try reader.skip(nameBytes, "a name")], as: UTF8.self) else {
            throw reader.damaged("a name that is not UTF-8")
        }
        _ = try reader.skip(extraBytes + commentBytes, "an entry")
        guard method == 0, flags & 1 == 0, packed == bytes, bytes < 0xFFFF_FFFF, header < 0xFFFF_FFFF else {
            throw reader.damaged("a file that is compressed, encrypted or beyond 4 GB")
        }
        var local = ByteReader(path: reader.path, data: reader.data)
        _ = try local.skip(header, "a file")
        guard try local.number(UInt32.self, "a file") == 0x0403_4B50 else { throw local.damaged("no file") }
        _ = try local.skip(22, "a file")
        let localName = try local.number(UInt16.self, "a file")
        let localExtra = try local.number(UInt16.self, "a file")
        _ = try local.skip(localName + localExtra, "a file")
        guard files.updateValue(try local.skip(bytes, "a file"), forKey: name) == nil else {
            throw reader.damaged("a second file of one name")
        }
    }

    /// Where the record at the end begins: it may have a comment of up to 65,535 bytes behind it.
    private static func endRecord(_ data: Data) -> Int? {
        guard data.count >= endBytes else { return nil }
        let mark: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
        for offset in stride(from: data.count - endBytes, through: max(0, data.count - endBytes - 0xFFFF), by: -1)
        where data[offset] == mark[0] && data[offset..<offset + 4].elementsEqual(mark) {
            return offset
        }
        return nil
    }
}
