/// A tokenizer as far as `TokenText` needs it.
package protocol TokenBytes: Sendable {
    /// The bytes of text a token stands for, which may be part of a character; none for special tokens.
    func bytes(of id: Int) -> [UInt8]
}

/// Text from tokens as they come: a character whose bytes are spread over several tokens is held back until it is
/// complete, so that the pieces together equal the tokenizer's `decode` of the whole.
package struct TokenText: Sendable {
    private let tokenizer: any TokenBytes
    private var held: [UInt8] = []  // at most three bytes between calls

    package init(_ tokenizer: any TokenBytes) { self.tokenizer = tokenizer }

    /// The text that this token completes; empty if it only begins a character, or is a special token.
    package mutating func append(_ id: Int) -> String {
        held.append(contentsOf: tokenizer.bytes(of: id))
        let complete = held.count - Self.unfinished(held)
        defer { held.removeFirst(complete) }
        return String(decoding: held[..<complete], as: UTF8.self)
    }

    /// What was held back, as U+FFFD; after it a new text begins.
    package mutating func finish() -> String {
        defer { held.removeAll() }
        return String(decoding: held, as: UTF8.self)
    }

    /// How many bytes at the end could still become a character.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }
            let (size, second): (Int, ClosedRange<UInt8>) =
                switch lead {  // Unicode table 3-7: the second byte's range excludes overlong forms and surrogates
                case 0xC2...0xDF: (2, 0x80...0xBF)
                case 0xE0: (3, 0xA0...0xBF)
                case 0xED: (3, 0x80...0x9F)
                case 0xE1...0xEF: (3, 0x80...0xBF)
                case 0xF0: (4, 0x90...0xBF)
                case 0xF1...0xF3: (4, 0x80...0xBF)
                case 0xF4: (4, 0x80...0x8F)
                default: (1, 0...0)
                }
            let fits = length == 1 || second.contains(bytes[bytes.count - length + 1])
            return length < size && fits ? length : 0
        }
        return 0
    }
}
