extension GemmaTokenizer {
    /// Types of tokens as GGUF numbers them.
    private enum PieceType: Int {
        case normal = 1, unknown, control, userDefined, unused, byte
    }

    /// Tags that steer the model although some files count them as text.
    private static let tags: Set<String> = [
        "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>",
        "<start_of_audio>", "<end_of_audio>",
        "<audio_soft_token>"
    ]

    /// The type of a token as GGUF numbers it.
    package func type(of id: Int) -> Int {
        let type: PieceType =
            switch pieces.kind(id) {
            case .none: .unused
            case .normal: .normal
            case .byte: .byte
            case .added: .userDefined
            case .special: .control
            }
        return type.rawValue
    }

    /// A tokenizer of the lists of a GGUF file: `tokenizer.ggml.tokens`, `.token_type`, and `.merges` or `.scores`.
    ///
    /// - Parameters:
    ///   - types: One a piece.
    ///   - scores: One a piece: of two merges the one with the higher score goes first, of equal ones the left one, as
    ///     SentencePiece does.
    ///   - merges: "left right", first ones first; if not empty, scores do not count.
    ///   - source: What messages name.
    /// - Throws: `TokenizerError.damaged`.
    package init(
        pieces list: [String], types: [Int], scores: [Float] = [], merges: [String] = [], source: String
    ) throws(TokenizerError) {
        func damaged(_ what: String) -> TokenizerError { .damaged(path: source, what: what) }
        guard !list.isEmpty, list.count <= GemmaPieces.maxCount, types.count == list.count else {
            throw damaged("it has \(list.count) tokens and \(types.count) types")
        }
        guard !merges.isEmpty || scores.count == list.count, merges.count <= GemmaMerges.maxCount else {
            throw damaged("it has \(list.count) tokens, \(scores.count) scores and \(merges.count) merges")
        }
        var pieces = GemmaPieces(capacity: list.count)
        for (id, (piece, number)) in zip(list, types).enumerated() {
            let kind: GemmaPieces.Kind
            switch PieceType(rawValue: number) {
            case .normal, .unused: kind = Self.tags.contains(piece) ? .special : .normal
            case .userDefined: kind = Self.tags.contains(piece) ? .special : .added
            case .control, .unknown: kind = .special
            case .byte: kind = .byte
            case nil: throw damaged("token \(id) is of the type \(number)")
            }
            if let problem = pieces.add(Array(piece.utf8), id: id, kind: kind) { throw damaged(problem) }
        }
        if merges.isEmpty {
            try self.init(pieces, scores: scores, source: source)
        } else {
            var builder = try GemmaTokenizerBuilder(pieces, mergeCount: merges.count, source: source)
            for (rank, text) in merges.enumerated() {
                let parts = Array(text.utf8).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
                guard parts.count == 2 else { throw damaged("merge \(rank) is not of two parts") }
                try builder.merge(parts[0], parts[1], rank: rank)
            }
            try self.init(builder)
        }
    }

    /// Every way to cut a piece in two pieces is a merge; all of them have the rank of the piece.
    private init(_ pieces: GemmaPieces, scores: [Float], source: String) throws(TokenizerError) {
        guard scores.allSatisfy(\.isFinite) else { throw .damaged(path: source, what: "a score is no number") }
        let order = (0..<pieces.count).filter { pieces.kind($0) == .normal }
            .sorted { scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1) }
        var builder = try GemmaTokenizerBuilder(pieces, mergeCount: 2 * order.count, source: source)
        var (rank, previous) = (-1, Float.nan)
        for id in order {
            if scores[id] != previous { (rank, previous) = (rank + 1, scores[id]) }
            let spelling = pieces.spelling(id)
            for cut in spelling.indices.dropFirst() where spelling[cut] & 0xC0 != 0x80 {
                guard let left = pieces.id(of: spelling[..<cut]), pieces.kind(left) == .normal,
                    let right = pieces.id(of: spelling[cut...]), pieces.kind(right) == .normal
                else { continue }
                try builder.merge(left, right, into: id, rank: rank)
            }
        }
        try self.init(builder)
    }
}
