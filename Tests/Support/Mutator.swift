/// Damages valid files: flipped bits, cut and doubled parts, parts of another file, lengths and numbers at their extremes.
package struct Mutator {
    package let corpus: [[UInt8]]
    /// What the format means something by.
    package let words: [[UInt8]]
    package var random: SplitMix64

    package init(corpus: [[UInt8]], words: [[UInt8]], random: SplitMix64) {
        (self.corpus, self.words, self.random) = (corpus, words, random)
    }

    /// A file of the corpus with a change, half of the time another, and so on: most damage is small, for what is damaged
    /// in many places is refused at the first.
    package mutating func next() -> [UInt8] {
        var bytes = corpus.randomElement(using: &random)!
        repeat { change(&bytes) } while Bool.random(using: &random)
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = words.randomElement(using: &random)! }
        let place = Int.random(in: bytes.indices, using: &random)
        let part = place..<min(bytes.count, place + Int.random(in: 1...64, using: &random))
        switch Int.random(in: 0..<10, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(part)
        case 3: bytes.insert(contentsOf: bytes[part], at: place)
        case 4: bytes.insert(contentsOf: words.randomElement(using: &random)!, at: place)
        case 5: bytes.replaceSubrange(part, with: words.randomElement(using: &random)!)
        case 6: bytes.removeLast(bytes.count - place)
        case 7:
            let other = corpus.randomElement(using: &random)!
            let start = Int.random(in: other.indices, using: &random)
            bytes.replaceSubrange(place..., with: other[start...])
        case 8: number(&bytes, at: place)
        default: digits(&bytes, from: place)
        }
    }

    /// Puts an extreme where a binary number may be: numbers of these formats are mostly 4 or 8 bytes.
    private mutating func number(_ bytes: inout [UInt8], at place: Int) {
        let size = Bool.random(using: &random) ? 4 : 8
        guard place + size <= bytes.count else { return }
        var old: UInt64 = 0
        for i in (0..<size).reversed() { old = old << 8 | UInt64(bytes[place + i]) }
        let extremes: [UInt64] = [
            0, 1, old &+ 1, old &- 1, old &* 2, UInt64(bytes.count), UInt64(bytes.count - place - size), 1 << 31,
            1 << 32, (1 << 32) - 1, 1 << 61, 1 << 62, 1 << 63, (1 << 63) - 1, .max, .max - 7,
            UInt64.random(in: 0..<64, using: &random)
        ]
        let new = extremes.randomElement(using: &random)!
        for i in 0..<size { bytes[place + i] = UInt8(truncatingIfNeeded: new >> (8 * UInt64(i))) }
    }

    /// Puts an extreme in the place of the next number that is written out.
    private mutating func digits(_ bytes: inout [UInt8], from place: Int) {
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        let extremes = [
            "0", "1", "-1", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e9",
            "0x1", "00", "", String(bytes.count), "99999999999999999999999999999999999999999999999999"
        ]
        bytes.replaceSubrange(start..<end, with: Array(extremes.randomElement(using: &random)!.utf8))
    }
}
