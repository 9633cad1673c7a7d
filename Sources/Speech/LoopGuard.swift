/// Tells text that a recogniser repeats endlessly from text that a speaker repeats.
package enum LoopGuard {
    /// Length of the repeated run at the end of `tokens`, in tokens, if they end in a loop: the same run of up to 16
    /// tokens again and again, at least `minimumRepeats` times and over `minimumTokens` in all. Else nil.
    package static func loopLength(
        _ tokens: [Int], minimumRepeats: Int = 4, minimumTokens: Int = 14
    ) -> Int? {
        for period in 1...16 where tokens.count >= max(minimumTokens, period * minimumRepeats) {
            var matching = 0
            while matching + period < tokens.count,
                tokens[tokens.count - 1 - matching] == tokens[tokens.count - 1 - matching - period]
            {
                matching += 1
            }
            let covered = matching + period
            if matching > 0, covered >= max(minimumTokens, period * minimumRepeats) { return period }
        }
        return nil
    }

    /// How well `text` compresses: its bytes over the bytes that a Lempel-Ziv coder would need for it. The reference
    /// takes zlib's ratio and refuses text above 2.4; this estimate prices literals and matches as deflate's fixed code does.
    package static func compressionRatio(_ text: String) -> Double {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return 1 }
        var position = 0
        var bits = 0.0
        while position < bytes.count {
            let match = longestMatch(bytes, at: position)
            if match >= 3 {
                bits += 20  // length 7-8 bits, distance 5 bits and up to 8 extra
                position += match
            } else {
                bits += 6  // letters of running text under a Huffman code
                position += 1
            }
        }
        return Double(bytes.count) / (bits / 8 + 11)  // 11: zlib's header, block header and checksum
    }

    /// Longest earlier occurrence of what follows `position`, at most 258 bytes as in deflate.
    private static func longestMatch(_ bytes: [UInt8], at position: Int) -> Int {
        var best = 0
        for start in 0..<position {
            guard position + best < bytes.count, bytes[start + best] == bytes[position + best] else { continue }
            var length = 0
            while position + length < bytes.count, length < 258, bytes[start + length] == bytes[position + length] {
                length += 1
            }
            best = max(best, length)
        }
        return best
    }
}
