/// Terminal columns of text (Unicode TR 11): wide characters take two, combining and invisible ones none.
package enum TextWidth {
    package static func columns(of character: Character) -> Int {
        // A variation selector 16 asks for the coloured, wide form of the character before it.
        if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
        return character.unicodeScalars.map(columns(of:)).max() ?? 0
    }

    package static func columns(of text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + columns(of: $1) }
    }

    /// The longest end of `text` that fits into `columns`.
    package static func tail(of text: String, columns: Int) -> Substring {
        var width = 0
        var start = text.endIndex
        while start > text.startIndex {
            let before = text.index(before: start)
            width += self.columns(of: text[before])
            if width > columns { break }
            start = before
        }
        return text[start...]
    }

    private static func columns(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// East Asian Width W and F by block.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F,  // Hangul Jamo, leading consonants
        0x2E80...0x303E,  // CJK radicals to CJK symbols
        0x3041...0xA4CF,  // Kana, CJK ideographs, Yi
        0xA960...0xA97F,  // Hangul Jamo Extended-A
        0xAC00...0xD7A3,  // Hangul syllables
        0xF900...0xFAFF,  // CJK compatibility ideographs
        0xFE10...0xFE19, 0xFE30...0xFE6F,  // vertical and small forms
        0xFF00...0xFF60, 0xFFE0...0xFFE6,  // full-width forms
        0x1F300...0x1F64F, 0x1F900...0x1F9FF,  // pictographs
        0x20000...0x3FFFD  // CJK extensions
    ]
}
