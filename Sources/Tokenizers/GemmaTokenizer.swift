/// Gemma's tokenizer: SentencePiece BPE with byte fallback, text to token ids and back.
///
/// ```
/// text ─ GemmaAddedTokens: special tokens, runs of newlines, tags ─► ids
///   └─ what is between ─ GemmaSymbols: a token a character ─► GemmaMerger ─► ids
/// ids ─ GemmaPieces ─► bytes ─ TokenText ─► text
/// ```
/// Blanks are spelled U+2581; no blank is put in front. What the vocabulary lacks is told by its UTF-8 bytes, a token each.
/// Made of a `tokenizer.json` or of the lists that a GGUF file holds. Copies share their memory.
package struct GemmaTokenizer: Sendable, TokenBytes {
    let pieces: GemmaPieces
    private let symbols: GemmaSymbols
    let merges: GemmaMerges
    private let added: GemmaAddedTokens

    init(_ builder: GemmaTokenizerBuilder) throws(TokenizerError) {
        (pieces, symbols, merges) = (builder.pieces, builder.symbols, builder.merges)
        added = try builder.addedTokens()
    }

    /// Ids are below it.
    package var count: Int { pieces.count }

    /// The id of the token that is spelled so, such as `<start_of_turn>`.
    /// - Throws: `TokenizerError.noSuchToken`.
    package func id(of spelling: String) throws(TokenizerError) -> Int {
        guard let id = pieces.id(of: Array(spelling.utf8)) else { throw .noSuchToken(name: spelling) }
        return id
    }

    package func isSpecial(_ id: Int) -> Bool { pieces.kind(id) == .special }

    /// The token as the vocabulary spells it; empty for an id that no token has.
    package func spelling(of id: Int) -> String { String(decoding: pieces.spelling(id), as: UTF8.self) }

    /// The tokens of a text.
    /// - Parameter specials: Whether special tokens are looked for. Not in what a user writes: it could end its turn.
    package func encode(_ text: String, specials: Bool = false) -> [Int] {
        encode(GemmaText(text, specials: specials))
    }

    /// The tokens of a text of which some parts may hold special tokens and some not.
    package func encode(_ text: GemmaText) -> [Int] {
        let bytes = text.bytes
        var ids: [Int] = []
        ids.reserveCapacity(bytes.count / 3)
        var merger = GemmaMerger(merges)
        var (start, position) = (0, 0)
        while position < bytes.count {
            guard let found = added.longest(in: bytes, at: position) else {
                position += 1
                continue
            }
            if !isSpecial(found.id) || text.mayHoldSpecial(position..<found.end) {
                encode(bytes[start..<position], with: &merger, into: &ids)
                ids.append(found.id)
                start = found.end
            }
            position = found.end
        }
        encode(bytes[start...], with: &merger, into: &ids)
        return ids
    }

    private func encode(_ text: ArraySlice<UInt8>, with merger: inout GemmaMerger, into ids: inout [Int]) {
        var position = text.startIndex
        while position < text.endIndex {
            var character = text[position..<min(position + Self.length(text[position]), text.endIndex)]
            position = character.endIndex
            if character.first == UInt8(ascii: " ") { character = GemmaSymbols.blank[...] }
            if let symbol = symbols.id(of: character, pieces) {
                if let last = merger.last, symbols.separates(last, symbol) { merger.flush(into: &ids) }
                merger.append(symbol)
            } else {
                for byte in character {
                    let symbol = symbols.id(of: byte)
                    if let last = merger.last, symbols.separates(last, symbol) { merger.flush(into: &ids) }
                    merger.append(symbol)
                }
            }
        }
        merger.flush(into: &ids)
    }

    /// Bytes of the character that begins with this one.
    private static func length(_ lead: UInt8) -> Int {
        switch lead {
        case 0..<0xC0: 1
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        default: 4
        }
    }

    /// The bytes of text a token stands for, which may be part of a character. None for special tokens and for ids that
    /// no token has.
    package func bytes(of id: Int) -> [UInt8] {
        let spelling = pieces.spelling(id)
        switch pieces.kind(id) {
        case .none, .special: return []
        case .byte:
            let digits = String(decoding: spelling.dropFirst(3).dropLast(), as: UTF8.self)
            return UInt8(digits, radix: 16).map { [$0] } ?? []
        case .normal, .added:
            var bytes: [UInt8] = []
            var position = spelling.startIndex
            while position < spelling.endIndex {
                let isBlank = spelling[position...].starts(with: GemmaSymbols.blank)
                bytes.append(isBlank ? UInt8(ascii: " ") : spelling[position])
                position += isBlank ? GemmaSymbols.blank.count : 1
            }
            return bytes
        }
    }

    /// The text of a sequence; special tokens are left out, broken UTF-8 becomes U+FFFD.
    package func decode(_ ids: some Sequence<Int>) -> String {
        String(decoding: ids.flatMap(bytes(of:)), as: UTF8.self)
    }
}

/// Text for `GemmaTokenizer`, put together of what the program says, where special tokens are recognised, and what others
/// wrote, where they are plain text. Runs of newlines and merges reach across the seams as if it were all one.
package struct GemmaText: Sendable {
    private(set) var bytes: [UInt8] = []
    private var trusted: [Range<Int>] = []

    package init() {}

    package init(_ text: String, specials: Bool) {
        if specials { append(template: text) } else { append(quoted: text) }
    }

    package mutating func append(template text: String) {
        let start = bytes.count
        bytes += text.utf8
        if let last = trusted.last, last.upperBound == start {
            trusted[trusted.count - 1] = last.lowerBound..<bytes.count
        } else {
            trusted.append(start..<bytes.count)
        }
    }

    package mutating func append(quoted text: String) { bytes += text.utf8 }

    func mayHoldSpecial(_ range: Range<Int>) -> Bool {
        // A prompt has a handful of turns: the search is short.
        trusted.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }
}
