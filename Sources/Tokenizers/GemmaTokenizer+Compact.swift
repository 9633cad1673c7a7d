/// A tokenizer as flat lists of numbers: loaded in a fifth of the time that a `tokenizer.json` takes.
///
/// ```
/// u32 tokens N, u32 bytes of text, u32 merges M
/// u8 kind × N, u16 length × N, the spellings one after the other
/// (u32 left, u32 right, u32 token, u32 rank) × M
/// ```
/// Little-endian, nothing aligned. What a model file of our own holds.
extension GemmaTokenizer {
    private static let headBytes = 12
    private static let mergeBytes = 16

    package var compact: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
        }
        let spellings = (0..<pieces.count).map(pieces.spelling)
        let merges = merges.list
        append(UInt32(pieces.count))
        append(UInt32(spellings.reduce(0) { $0 + $1.count }))
        append(UInt32(merges.count))
        for id in 0..<pieces.count { append(pieces.kind(id).rawValue) }
        for spelling in spellings { append(UInt16(spelling.count)) }
        for spelling in spellings { bytes += spelling }
        for merge in merges {
            append(merge.left)
            append(merge.right)
            append(merge.id)
            append(merge.rank)
        }
        return bytes
    }

    /// - Parameters:
    ///   - compact: What `compact` gave.
    ///   - source: What messages name.
    /// - Throws: `TokenizerError.damaged`.
    package init(compact: UnsafeRawBufferPointer, source: String) throws(TokenizerError) {
        func damaged(_ what: String) -> TokenizerError { .damaged(path: source, what: "its tokenizer \(what)") }
        func number<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type, _ offset: Int) -> Int {
            Int(Number(littleEndian: compact.loadUnaligned(fromByteOffset: offset, as: Number.self)))
        }
        guard compact.count >= Self.headBytes else { throw damaged("has \(compact.count) bytes") }
        let (count, text) = (number(UInt32.self, 0), number(UInt32.self, 4))
        let mergeCount = number(UInt32.self, 8)
        guard count <= GemmaPieces.maxCount, mergeCount <= GemmaMerges.maxCount,
            compact.count == Self.headBytes + 3 * count + text + Self.mergeBytes * mergeCount
        else { throw damaged("has \(compact.count) bytes for \(count) tokens and \(mergeCount) merges") }

        var pieces = GemmaPieces(capacity: count)
        let lengths = Self.headBytes + count
        var start = lengths + 2 * count
        let end = start + text
        for id in 0..<count {
            let length = number(UInt16.self, lengths + 2 * id)
            guard start + length <= end, let kind = GemmaPieces.Kind(rawValue: compact[Self.headBytes + id]) else {
                throw damaged("is damaged at token \(id)")
            }
            if kind != .none, let problem = pieces.add(compact[start..<start + length], id: id, kind: kind) {
                throw damaged("is wrong: \(problem)")
            }
            start += length
        }
        guard start == end else { throw damaged("has \(end - start) bytes of text too many") }
        var builder = try GemmaTokenizerBuilder(pieces, mergeCount: mergeCount, source: source)
        for offset in stride(from: end, to: compact.count, by: Self.mergeBytes) {
            let (left, right) = (number(UInt32.self, offset), number(UInt32.self, offset + 4))
            let (id, rank) = (number(UInt32.self, offset + 8), number(UInt32.self, offset + 12))
            guard max(left, right, id) < pieces.count else { throw damaged("merges tokens it does not have") }
            try builder.merge(left, right, into: id, rank: rank)
        }
        try self.init(builder)
    }
}
