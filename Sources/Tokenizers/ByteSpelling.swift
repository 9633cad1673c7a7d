/// The byte-to-character map of byte-level BPE: printable bytes of Latin-1 stand for themselves, the other 68 for
/// U+0100 and up, in order. So every token is printable text, and the blank is spelled `Ġ`.
enum ByteSpelling {
    static let scalars: [Unicode.Scalar] = {  // byte → character
        var next: UInt32 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
            default:
                defer { next += 1 }
                return Unicode.Scalar(next)!
            }
        }
    }()

    private static let bytes: [UInt8?] = {  // character → byte, for U+0000...U+0143
        var bytes = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = UInt8(byte) }
        return bytes
    }()

    /// The bytes a spelling stands for, appended; a character that stands for no byte stands for itself.
    static func append(_ spelling: ArraySlice<UInt8>, to text: inout [UInt8]) {
        var index = spelling.startIndex
        while index < spelling.endIndex {
            let first = spelling[index]
            let next = index + 1
            // All characters of the map are below U+0144: one or two bytes of UTF-8.
            if first < 0x80, let byte = bytes[Int(first)] {
                text.append(byte)
                index += 1
            } else if (0xC2...0xC5).contains(first), next < spelling.endIndex, spelling[next] & 0xC0 == 0x80,
                case let scalar = Int(first & 0x1F) << 6 | Int(spelling[next] & 0x3F), scalar < bytes.count,
                let byte = bytes[scalar]
            {
                text.append(byte)
                index += 2
            } else {
                text.append(first)
                index += 1
            }
        }
    }
}
