import Foundation

/// Which two neighbouring tokens become one, and which pair goes first.
struct MergeTable: Sendable {
    private struct Pair: Hashable { let left, right: Int }
    private struct Merge { let rank, id: Int }

    private let byteIDs: [Int]  // [256]
    private let merges: [Pair: Merge]

    /// Reads the merges of a `tokenizer.json`; ids are those of `vocabulary`.
    init(path: String, vocabulary: Vocabulary) throws(TokenizerError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            let path = path as NSString
            throw .notFound(folder: path.deletingLastPathComponent, files: [path.lastPathComponent])
        }
        let file: TokenizerFile
        do {
            file = try JSONDecoder().decode(TokenizerFile.self, from: data)
        } catch {
            throw .damaged(path: path, what: "it has no list of merges")
        }
        var ids: [ArraySlice<UInt8>: Int] = [:]
        ids.reserveCapacity(vocabulary.count)
        for id in 0..<vocabulary.count where !vocabulary.isSpecial(id) { ids[vocabulary.spelling(of: id)] = id }

        var byteIDs: [Int] = []
        for scalar in ByteSpelling.scalars {
            guard let id = ids[ArraySlice(String(scalar).utf8)] else {
                throw .damaged(path: path, what: "the vocabulary has no token for the byte '\(scalar)'")
            }
            byteIDs.append(id)
        }
        var merges: [Pair: Merge] = [:]
        merges.reserveCapacity(file.model.merges.count)
        for (rank, merge) in file.model.merges.enumerated() {
            guard let left = ids[ArraySlice(merge.left.utf8)], let right = ids[ArraySlice(merge.right.utf8)],
                let id = ids[ArraySlice(merge.left.utf8) + ArraySlice(merge.right.utf8)]
            else { throw .damaged(path: path, what: "merge \(rank) is of tokens that the vocabulary lacks") }
            let pair = Pair(left: left, right: right)
            if merges[pair] == nil { merges[pair] = Merge(rank: rank, id: id) }
        }
        self.byteIDs = byteIDs
        self.merges = merges
    }

    /// Appends the tokens of one word: starting from its bytes, the pair of lowest rank is merged wherever it stands,
    /// until no pair can be.
    func encode(_ word: some Sequence<UInt8>, into ids: inout [Int]) {
        var symbols = word.map { byteIDs[Int($0)] }
        while let (pair, merge) = best(in: symbols) {
            var merged: [Int] = []
            var index = 0
            while index < symbols.count {
                if index + 1 < symbols.count, symbols[index] == pair.left, symbols[index + 1] == pair.right {
                    merged.append(merge.id)
                    index += 2
                } else {
                    merged.append(symbols[index])
                    index += 1
                }
            }
            symbols = merged
        }
        ids.append(contentsOf: symbols)
    }

    private func best(in symbols: [Int]) -> (Pair, Merge)? {
        var best: (pair: Pair, merge: Merge)?
        for (left, right) in zip(symbols, symbols.dropFirst()) {
            let pair = Pair(left: left, right: right)
            guard let merge = merges[pair] else { continue }
            if best == nil || merge.rank < best!.merge.rank { best = (pair, merge) }
        }
        return best
    }
}

/// The part of a `tokenizer.json` that encoding needs.
private struct TokenizerFile: Decodable {
    struct Model: Decodable { let merges: [Merge] }

    /// Older files write a merge as "left right", newer ones as ["left", "right"].
    struct Merge: Decodable {
        let left: String
        let right: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let parts: [String]
            if let text = try? container.decode(String.self) {
                parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            } else {
                parts = try container.decode([String].self)
            }
            guard parts.count == 2 else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a merge has two parts")
            }
            (left, right) = (parts[0], parts[1])
        }
    }

    let model: Model
}
