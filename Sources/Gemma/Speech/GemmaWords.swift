import Media
import Speech
import Tokenizers

/// Cuts an answer's tokens into words.
///
/// A word begins at a token that begins with a blank or a line break, and where a script is written without blanks, at each
/// of its characters. A character whose bytes are spread over several tokens stays in one word.
struct GemmaWords {
    let tokenizer: GemmaTokenizer

    struct Spelled: Equatable {
        var tokens: [Int]
        var text: String
    }

    func split(_ ids: [Int]) -> [Spelled] {
        var words: [Spelled] = []
        var text = TokenText(tokenizer)
        var waiting: [Int] = []  // tokens of a character that is not complete
        for id in ids {
            waiting.append(id)
            let piece = text.append(id)
            if piece.isEmpty { continue }
            append(piece, waiting, to: &words)
            waiting = []
        }
        let rest = text.finish()
        if !waiting.isEmpty { append(rest, waiting, to: &words) }
        return words
    }

    private func append(_ piece: String, _ tokens: [Int], to words: inout [Spelled]) {
        // Line breaks are blanks to a transcript.
        let text = String(piece.map { $0.isNewline ? " " : $0 })
        if let last = words.indices.last, !beginsWord(text, after: words[last].text) {
            words[last].tokens += tokens
            words[last].text += text
        } else {
            words.append(Spelled(tokens: tokens, text: text))
        }
    }

    /// With a blank in front, if its script writes one.
    func spaced(_ text: String) -> String {
        guard let first = text.unicodeScalars.first, !first.properties.isWhitespace, !Self.standsAlone(first) else {
            return text
        }
        return " " + text
    }

    private func beginsWord(_ text: String, after before: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = before.unicodeScalars.last else { return false }
        if first.properties.isWhitespace { return !before.allSatisfy(\.isWhitespace) }
        return Self.standsAlone(first) || (Self.standsAlone(last) && first.properties.isAlphabetic)
    }

    /// Kana, ideographs and the scripts of Thai, Lao, Burmese and Khmer, written without blanks.
    private static func standsAlone(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3041...0x30FF, 0x3400...0x9FFF, 0xF900...0xFAFF,
            0x20000...0x3FFFF:
            scalar.properties.isAlphabetic
        default: false
        }
    }
}
