/// The tokens that merging starts from, one a character or one a byte, and where no merge can reach across.
struct GemmaSymbols: Sendable {
    /// U+2581, which blanks are spelled as.
    static let blank: [UInt8] = [0xE2, 0x96, 0x81]
    private static let filterBits = 1 << 20  // 34 thousand pairs in Gemma's vocabulary: 3 % of the bits

    private let bytes: [UInt32]  // [256], ids of <0x00> ... <0xFF>
    private var characters = [UInt32](repeating: .max, count: 0x1_0000)  // by scalar of the first plane; .max: none
    private var isCut = true
    private var filter = [UInt64](repeating: 0, count: filterBits / 64)

    /// - Returns: Nil when one of the 256 bytes has no token.
    init?(_ pieces: GemmaPieces) {
        let ids = (UInt8.min...UInt8.max).compactMap { pieces.id(of: Self.byteSpelling($0)) }
        guard ids.count == 256 else { return nil }
        bytes = ids.map { UInt32($0) }
        for id in 0..<pieces.count where pieces.kind(id) == .normal || pieces.kind(id) == .added {
            let spelling = pieces.spelling(id)
            if spelling.count <= 3, let scalar = Self.onlyScalar(spelling) { characters[scalar] = UInt32(id) }
        }
    }

    static func byteSpelling(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
    }

    /// The scalar of the first plane that the bytes are, and nothing else.
    private static func onlyScalar(_ spelling: ArraySlice<UInt8>) -> Int? {
        guard let text = String(validating: spelling, as: UTF8.self), text.unicodeScalars.count == 1 else { return nil }
        return Int(text.unicodeScalars.first!.value)
    }

    /// Notes that a token which ends as `left` does may be merged with one that begins as `right` does.
    mutating func join(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, _ pieces: GemmaPieces) {
        let start = left.lastIndex { $0 & 0xC0 != 0x80 } ?? left.startIndex
        let end = right.dropFirst().firstIndex { $0 & 0xC0 != 0x80 } ?? right.endIndex
        guard let last = id(of: left[start...], pieces), let first = id(of: right[..<end], pieces) else { return }
        let bit = Self.bit(last, first)
        filter[bit >> 6] |= 1 << UInt64(bit & 63)
    }

    /// Bytes may be merged: so texts are never cut.
    mutating func joinEverything() { isCut = false }

    /// Whether no merge reaches across these two. Never wrong when true.
    func separates(_ left: UInt32, _ right: UInt32) -> Bool {
        let bit = Self.bit(left, right)
        return isCut && filter[bit >> 6] & 1 << UInt64(bit & 63) == 0
    }

    private static func bit(_ left: UInt32, _ right: UInt32) -> Int {
        let product = (UInt64(left) << 32 | UInt64(right)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> 40) & (filterBits - 1)
    }

    /// The token of a character, or nil if its bytes stand for it.
    func id(of character: ArraySlice<UInt8>, _ pieces: GemmaPieces) -> UInt32? {
        let c = character.startIndex
        let scalar: Int
        switch character.count {
        case 1: scalar = Int(character[c])
        case 2: scalar = Int(character[c] & 0x1F) << 6 | Int(character[c + 1] & 0x3F)
        case 3:
            scalar = Int(character[c] & 0x0F) << 12 | Int(character[c + 1] & 0x3F) << 6 | Int(character[c + 2] & 0x3F)
        default:
            guard let id = pieces.id(of: character), pieces.kind(id) != .special else { return nil }
            return UInt32(id)
        }
        return characters[scalar] == .max ? nil : characters[scalar]
    }

    func id(of byte: UInt8) -> UInt32 { bytes[Int(byte)] }
}
