/// The little of JSON that a safetensors header and a shard index use: texts, whole numbers, and punctuation asked for by
/// the caller. It has no recursion, so nesting costs nothing.
struct JSONScanner {
    private let path: String
    private let bytes: [UInt8]
    private let fileOffset: Int
    private var position = 0

    init(path: String, bytes: [UInt8], fileOffset: Int) {
        self.path = path
        self.bytes = bytes
        self.fileOffset = fileOffset
    }

    func damaged(_ what: String) -> WeightsError {
        .damaged(path: path, offset: fileOffset + position, what: what)
    }

    /// True, and past it, if the next mark is this one.
    mutating func consume(_ mark: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ mark: Unicode.Scalar) throws(WeightsError) {
        guard consume(mark) else { throw damaged("the header lacks a '\(mark)'") }
    }

    /// Writers pad the header with blanks.
    mutating func expectEnd() throws(WeightsError) {
        skipBlanks()
        guard position == bytes.count else { throw damaged("something follows the header") }
    }

    mutating func numbers(atMost limit: Int) throws(WeightsError) -> [Int] {
        try expect("[")
        if consume("]") { return [] }
        var numbers: [Int] = []
        repeat {
            guard numbers.count < limit else { throw damaged("a list of more than \(limit) numbers") }
            numbers.append(try number())
        } while consume(",")
        try expect("]")
        return numbers
    }

    mutating func string() throws(WeightsError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw damaged("a text is not UTF-8") }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            case 0..<0x20: throw damaged("a control character in a text")
            default: text.append(byte)
            }
        }
        throw damaged("the header ends within a text")
    }

    /// Passes one value of any kind. Within it only texts and brackets are looked at.
    mutating func skipValue() throws(WeightsError) {
        var depth = 0
        repeat {
            skipBlanks()
            guard position < bytes.count else { throw damaged("the header ends within a value") }
            switch bytes[position] {
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw damaged("a value is missing") }
                position += 1
            default: try skipWord()
            }
        } while depth > 0
        guard depth == 0 else { throw damaged("a value is missing") }
    }

    /// A number, true, false or null.
    private mutating func skipWord() throws(WeightsError) {
        let start = position
        while position < bytes.count, Self.isOfWord(bytes[position]) { position += 1 }
        guard position > start else { throw damaged("an unknown mark") }
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        let scalar = Unicode.Scalar(byte)
        return scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789+-.".unicodeScalars.contains(scalar))
    }

    private mutating func number() throws(WeightsError) -> Int {
        skipBlanks()
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            throw damaged("a whole number is missing or too great")
        }
        return number
    }

    private mutating func escape() throws(WeightsError) -> [UInt8] {
        guard position < bytes.count else { throw damaged("the header ends within a text") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return [UInt8](String(try escapedScalar()).utf8)
        default: throw damaged("an unknown escape in a text")
        }
    }

    private mutating func escapedScalar() throws(WeightsError) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // A character beyond the first plane is written as two escapes.
        guard (0xD800..<0xDC00).contains(first), position + 1 < bytes.count,
            bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
        else { throw damaged("half a character in a text") }
        position += 2
        let second = try codeUnit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw damaged("half a character in a text") }
        return scalar
    }

    private mutating func codeUnit() throws(WeightsError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw damaged("the header ends within a text") }
        let digits = bytes[position..<(position + 4)]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw damaged("an escape is not hexadecimal") }
        position += 4
        return value
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }
}
