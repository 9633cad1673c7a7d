import Foundation

/// A `tokenizer.json`: the two long lists are read in one pass without a value for each entry (262 thousand tokens and
/// half a million merges in a fraction of a second), the small rest by `JSONDecoder`. Nothing here is recursive.
struct GemmaJSON {
    private static let maxMembers = 256
    private static let maxSmallBytes = 16 << 20

    private let bytes: [UInt8]
    private let source: String

    init(_ bytes: [UInt8], source: String) { (self.bytes, self.source) = (bytes, source) }

    func damaged(_ what: String) -> TokenizerError { .damaged(path: source, what: what) }

    /// Where the values of an object lie, by key.
    func members(of range: Range<Int>) throws(TokenizerError) -> [String: Range<Int>] {
        var members: [String: Range<Int>] = [:]
        var scanner = Scanner(bytes: bytes, range: range)
        let isWhole = scanner.object { key, scanner in
            let start = scanner.skipBlanks()
            guard scanner.skipValue(), members.count < Self.maxMembers else { return false }
            return members.updateValue(start..<scanner.position, forKey: String(decoding: key, as: UTF8.self)) == nil
        }
        guard isWhole else { throw damaged("it is no JSON object, or ends early (byte \(scanner.position))") }
        return members
    }

    func decode<Value: Decodable>(_: Value.Type, _ range: Range<Int>, _ key: String) throws(TokenizerError) -> Value {
        guard range.count <= Self.maxSmallBytes,
            let value = try? JSONDecoder().decode(Value.self, from: Data(bytes[range]))
        else { throw damaged("its \(key) can't be read") }
        return value
    }

    /// Reads `{"text": number, ...}`.
    func forEachCount(
        in range: Range<Int>, _ body: (ArraySlice<UInt8>, Int) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        var scanner = Scanner(bytes: bytes, range: range)
        var failure: TokenizerError?
        let isWhole = scanner.object { text, scanner in
            guard let number = scanner.number() else { return false }
            do throws(TokenizerError) { try body(text, number) } catch { failure = error }
            return failure == nil
        }
        if let failure { throw failure }
        guard isWhole else { throw damaged("the vocabulary is no list of texts and ids (byte \(scanner.position))") }
    }

    /// Reads `[["left", "right"], ...]` or `["left right", ...]`.
    func forEachPair(
        in range: Range<Int>, _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>, Int) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        var scanner = Scanner(bytes: bytes, range: range)
        func bad() -> TokenizerError { damaged("the merges are no list of pairs (byte \(scanner.position))") }
        guard scanner.consume(UInt8(ascii: "[")) else { throw bad() }
        if scanner.consume(UInt8(ascii: "]")) { return }
        var rank = 0
        repeat {
            guard rank < GemmaMerges.maxCount else { throw damaged("it has more than \(rank) merges") }
            scanner.text.removeAll(keepingCapacity: true)
            let middle: Int
            if scanner.consume(UInt8(ascii: "[")) {
                guard scanner.string() else { throw bad() }
                middle = scanner.text.count
                guard scanner.consume(UInt8(ascii: ",")), scanner.string(), scanner.consume(UInt8(ascii: "]")) else {
                    throw bad()
                }
                try body(scanner.text[..<middle], scanner.text[middle...], rank)
            } else {
                guard scanner.string(), let blank = scanner.text.firstIndex(of: UInt8(ascii: " ")) else { throw bad() }
                try body(scanner.text[..<blank], scanner.text[(blank + 1)...], rank)
            }
            rank += 1
        } while scanner.consume(UInt8(ascii: ","))
        guard scanner.consume(UInt8(ascii: "]")) else { throw bad() }
    }
}

extension GemmaJSON {
    /// Goes through JSON from left to right. Functions return false, or nil, at what is none.
    struct Scanner {
        private let bytes: [UInt8]
        private let end: Int
        private(set) var position: Int
        /// What `string` appends to.
        var text: [UInt8] = []

        init(bytes: [UInt8], range: Range<Int>) {
            (self.bytes, end, position) = (bytes, range.upperBound, range.lowerBound)
        }

        @discardableResult
        mutating func skipBlanks() -> Int {
            while position < end, case let byte = bytes[position],
                byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
            { position += 1 }
            return position
        }

        mutating func consume(_ mark: UInt8) -> Bool {
            skipBlanks()
            guard position < end, bytes[position] == mark else { return false }
            position += 1
            return true
        }

        /// An object; `member` reads each value.
        mutating func object(_ member: (ArraySlice<UInt8>, inout Scanner) -> Bool) -> Bool {
            guard consume(UInt8(ascii: "{")) else { return false }
            if consume(UInt8(ascii: "}")) { return true }
            repeat {
                text.removeAll(keepingCapacity: true)
                guard string(), consume(UInt8(ascii: ":")) else { return false }
                let key = text
                guard member(key[...], &self) else { return false }
            } while consume(UInt8(ascii: ","))
            return consume(UInt8(ascii: "}"))
        }

        /// A whole number of at most nine digits.
        mutating func number() -> Int? {
            let start = skipBlanks()
            var number = 0
            while position < end, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
                guard position - start < 9 else { return nil }
                number = number * 10 + Int(digit)
                position += 1
            }
            return position > start ? number : nil
        }

        /// Past any value, however deep.
        mutating func skipValue() -> Bool {
            var depth = 0
            repeat {
                skipBlanks()
                guard position < end else { return false }
                switch bytes[position] {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    guard depth >= 0 else { return false }
                    position += 1
                case UInt8(ascii: "\""): guard skipString() else { return false }
                case UInt8(ascii: ","), UInt8(ascii: ":"):
                    guard depth > 0 else { return false }
                    position += 1
                default: skipWord()
                }
            } while depth > 0
            return true
        }

        /// Numbers and names.
        private mutating func skipWord() {
            position += 1
            while position < end, !",:]}\" \n\r\t".utf8.contains(bytes[position]) { position += 1 }
        }

        private mutating func skipString() -> Bool {
            position += 1
            while position < end {
                if bytes[position] == UInt8(ascii: "\"") {
                    position += 1
                    return true
                }
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            return false
        }

        /// Appends a text to `text`.
        mutating func string() -> Bool {
            guard consume(UInt8(ascii: "\"")) else { return false }
            while position < end {
                let byte = bytes[position]
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return true
                case UInt8(ascii: "\\"): guard escape() else { return false }
                case 0..<0x20: return false
                default: text.append(byte)
                }
            }
            return false
        }

        private mutating func escape() -> Bool {
            guard position < end else { return false }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                guard let scalar = escapedScalar() else { return false }
                text.append(contentsOf: String(scalar).utf8)
            default: return false
            }
            return true
        }

        private mutating func escapedScalar() -> Unicode.Scalar? {
            guard let first = codeUnit() else { return nil }
            if let scalar = Unicode.Scalar(first) { return scalar }
            // A character beyond the first plane is written as two escapes.
            guard (0xD800..<0xDC00).contains(first), position + 1 < end, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { return nil }
            position += 2
            guard let second = codeUnit(), (0xDC00..<0xE000).contains(second) else { return nil }
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        }

        private mutating func codeUnit() -> UInt32? {
            guard position + 4 <= end else { return nil }
            var value: UInt32 = 0
            for byte in bytes[position..<position + 4] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
                value = value << 4 | UInt32(digit)
            }
            position += 4
            return value
        }
    }
}
