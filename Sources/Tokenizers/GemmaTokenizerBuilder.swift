/// Gathers what a tokenizer is made of, whatever file it comes from.
struct GemmaTokenizerBuilder {
    /// Bytes that all tokens matched in text have together; Gemma's have 0.1 MB.
    private static let maxAddedBytes = 8 << 20

    let pieces: GemmaPieces
    private(set) var symbols: GemmaSymbols
    private(set) var merges: GemmaMerges
    private let source: String
    private var joined: [UInt8] = []

    /// - Parameter source: What messages name.
    init(_ pieces: GemmaPieces, mergeCount: Int, source: String) throws(TokenizerError) {
        guard let symbols = GemmaSymbols(pieces) else {
            throw .damaged(path: source, what: "it lacks some of the tokens <0x00> to <0xFF>")
        }
        (self.pieces, self.symbols, self.source) = (pieces, symbols, source)
        merges = GemmaMerges(capacity: mergeCount)
    }

    mutating func merge(_ left: Int, _ right: Int, into id: Int, rank: Int) throws(TokenizerError) {
        // Text that spells a special token never becomes one by merging.
        if pieces.kind(id) == .special { return }
        if let problem = merges.add(left, right, rank: rank, id: id) { throw .damaged(path: source, what: problem) }
        if pieces.kind(left) == .byte || pieces.kind(right) == .byte { symbols.joinEverything() }
        symbols.join(pieces.spelling(left), pieces.spelling(right), pieces)
    }

    mutating func merge(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, rank: Int) throws(TokenizerError) {
        joined.removeAll(keepingCapacity: true)
        joined += left
        joined += right
        guard let first = pieces.id(of: left), let second = pieces.id(of: right), let id = pieces.id(of: joined) else {
            throw .damaged(path: source, what: "merge \(rank) is of tokens that the vocabulary lacks")
        }
        try merge(first, second, into: id, rank: rank)
    }

    func addedTokens() throws(TokenizerError) -> GemmaAddedTokens {
        var (added, bytes) = (GemmaAddedTokens(), 0)
        for id in 0..<pieces.count where pieces.kind(id) == .added || pieces.kind(id) == .special {
            bytes += pieces.spelling(id).count
            guard bytes <= Self.maxAddedBytes else {
                throw .damaged(path: source, what: "its special and added tokens are too long")
            }
            added.add(pieces.spelling(id), id: id)
        }
        return added
    }
}
