import Foundation

/// Reads the directory of a CTranslate2 `model.bin`: header, variables, aliases, then the end of the file.
///
/// ```
/// u32 version │ string spec │ u32 revision │ u32 n │ n × variable │ u32 m │ m × (string alias, string target)
/// string   = u16 length with the NUL, bytes, NUL
/// variable = string name, u8 rank, rank × u32 dimension, u8 type, u32 payload bytes, payload (unaligned)
/// ```
struct CTranslate2Reader {
    static let versions = 4...6  // the three share this layout; 3 and below store an element size instead of a type

    private(set) var spec = ""
    private(set) var revision = 0
    private(set) var directory = TensorDirectory()
    private var reader: ByteReader

    init(path: String, data: Data) throws(WeightsError) {
        reader = ByteReader(path: path, data: data)
        let version = try reader.number(UInt32.self, "the version")
        guard Self.versions.contains(version) else {
            throw .unsupportedVersion(path: path, format: "CTranslate2", version: version, supported: Self.versions)
        }
        spec = try string("the name of the specification")
        revision = try reader.number(UInt32.self, "the revision")
        // Counts are only loop bounds: nothing is reserved for what a count merely claims.
        for _ in 0..<(try reader.number(UInt32.self, "the number of variables")) { try variable() }
        for _ in 0..<(try reader.number(UInt32.self, "the number of aliases")) { try alias() }
        guard reader.remaining == 0 else { throw reader.damaged("\(reader.remaining) bytes follow the last alias") }
        aliasCompanions()
    }

    private mutating func variable() throws(WeightsError) {
        let name = try string("the name of a variable")
        let rank = try reader.number(UInt8.self, "the rank of '\(name)'")
        guard rank <= TensorEntry.maxRank else { throw reader.damaged("'\(name)' claims \(rank) dimensions") }
        var shape: [Int] = []
        for _ in 0..<rank { shape.append(try reader.number(UInt32.self, "the shape of '\(name)'")) }
        let typeID = try reader.number(UInt8.self, "the type of '\(name)'")
        guard let type = Self.elementType(typeID) else {
            throw reader.damaged("'\(name)' is of unknown type \(typeID)")
        }
        let claimed = try reader.number(UInt32.self, "the size of '\(name)'")
        guard claimed == type.byteCount(shape: shape) else {
            throw reader.damaged("'\(name)' is \(type.rawValue) \(shape) but claims \(claimed) bytes")
        }
        let range = try reader.skip(claimed, "'\(name)'")
        guard directory.add(TensorEntry(name: name, shape: shape, type: type, byteRange: range)) else {
            throw reader.damaged("a second variable '\(name)'")
        }
    }

    private mutating func alias() throws(WeightsError) {
        let alias = try string("an alias")
        let target = try string("the target of '\(alias)'")
        guard directory.add(alias: alias, of: target) else {
            throw reader.damaged("alias '\(alias)' is taken, or its target '\(target)' is unknown")
        }
    }

    /// An alias of a tensor is one of its quantisation companions too, unless the file says otherwise.
    private mutating func aliasCompanions() {
        for (alias, target) in directory.aliases {
            for suffix in ["_scale", "_zero"] { _ = directory.add(alias: alias + suffix, of: target + suffix) }
        }
    }

    private mutating func string(_ what: String) throws(WeightsError) -> String {
        let length = try reader.number(UInt16.self, what)
        let bytes = reader.data[try reader.skip(length, what)]
        guard bytes.last == 0, let text = String(validating: bytes.dropLast(), as: UTF8.self), !text.utf8.contains(0)
        else { throw reader.damaged("\(what) is not a text that ends in NUL") }
        return text
    }

    private static func elementType(_ id: Int) -> ElementType? {
        let types: [ElementType] = [.float32, .int8, .int16, .int32, .float16, .bfloat16]
        return types.indices.contains(id) ? types[id] : nil
    }
}
