/// Splits text into words before merging, as GPT-2's expression does (Radford et al. 2019):
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
///
/// Written by hand: a general regex engine is slower by two orders, and the grammar is a handful of cases.
struct WordSplitter: IteratorProtocol {
    private enum Kind { case letter, number, blank, other }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

    private let scalars: [Unicode.Scalar]
    private let kinds: [Kind]
    private var position = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        kinds = scalars.map(Self.kind)
    }

    /// The next word's UTF-8.
    mutating func next() -> [UInt8]? {
        guard position < scalars.count else { return nil }
        let end = endOfWord()
        defer { position = end }
        return scalars[position..<end].flatMap { Array(UTF8.encode($0)!) }
    }

    private func endOfWord() -> Int {
        if scalars[position] == "'" {
            for contraction in Self.contractions where scalars[position...].starts(with: contraction) {
                return position + contraction.count
            }
        }
        // A single space belongs to the word, number or marks after it.
        let start = scalars[position] == " " && position + 1 < scalars.count ? position + 1 : position
        if kinds[start] != .blank { return endOfRun(from: start) }
        let end = endOfRun(from: position)
        // Of a longer run of blanks the last one is left for what follows.
        return end == scalars.count || end == position + 1 ? end : end - 1
    }

    private func endOfRun(from start: Int) -> Int {
        var end = start + 1
        while end < scalars.count, kinds[end] == kinds[start] { end += 1 }
        return end
    }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        if scalar.properties.isWhitespace { return .blank }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: .other
        }
    }
}
