import Foundation
import TestSupport
import Testing
import Tokenizers

/// The flat form in which model files of our own hold a tokenizer.
struct GemmaCompactTests {
    private static let golden = GemmaGolden.shared

    private static func read(_ bytes: [UInt8]) throws(TokenizerError) -> GemmaTokenizer {
        let made = bytes.withUnsafeBytes { bytes in
            Result { () throws(TokenizerError) in try GemmaTokenizer(compact: bytes, source: "model.gguf") }
        }
        return try made.get()
    }

    private static func sources() throws -> [GemmaTokenizer] { [try golden.fromJSON(), try golden.fromScores()] }

    @Test func saysWhatItsSourceSays() throws {
        for source in try Self.sources() {
            let tokenizer = try Self.read(source.compact)
            for item in Self.golden.cases {
                #expect(tokenizer.encode(item.text, specials: true) == item.specials, "\(item.text.debugDescription)")
                #expect(tokenizer.encode(item.text) == item.plain, "\(item.text.debugDescription)")
                #expect(tokenizer.decode(item.plain) == source.decode(item.plain))
            }
            #expect(tokenizer.count == source.count)
            for id in 0..<source.count {
                #expect(tokenizer.spelling(of: id) == source.spelling(of: id))
                #expect(
                    tokenizer.isSpecial(id) == source.isSpecial(id) && tokenizer.type(of: id) == source.type(of: id))
            }
        }
    }

    @Test func isWrittenAgainByteForByte() throws {
        for source in try Self.sources() {
            let bytes = source.compact
            #expect(try Self.read(bytes).compact == bytes)
        }
    }

    /// Ids that no token has, in the middle and at the end, where media tags would stand.
    @Test func gapsStay() throws {
        let gap = GemmaGolden.shared.json.replacingOccurrences(
            of: "\"added_tokens\":[",
            with: """
                "added_tokens":[{"id":5000,"content":"<image_soft_token>","single_word":false,"lstrip":false,\
                "rstrip":false,"normalized":false,"special":true},
                """)
        let source = try GemmaTokenizer(json: Array(gap.utf8), source: "x")
        let tokenizer = try Self.read(source.compact)
        #expect(tokenizer.count == 5_001 && tokenizer.compact == source.compact)
        #expect(try tokenizer.id(of: "<image_soft_token>") == 5_000 && tokenizer.spelling(of: 4_000).isEmpty)
    }

    /// An error that names the file, whatever was asked.
    private func refuse(_ bytes: [UInt8], _ comment: String) {
        let error = #expect(throws: TokenizerError.self, "\(comment)") { try Self.read(bytes) }
        #expect("\(error as Any)".contains("model.gguf"), "\(comment)")
    }

    @Test func aCutOneIsRefused() throws {
        let bytes = try Self.golden.fromJSON().compact
        for length in Array(0..<64) + Array(stride(from: 64, to: bytes.count, by: 31)) {
            refuse(Array(bytes[..<length]), "\(length) bytes")
        }
        refuse(bytes + [0], "one byte more")
    }

    @Test(arguments: [UInt32.max, 1 << 31, 1 << 24, 1 << 22, 1 << 21, 0, 1]) func countsThatLieAreRefused(count: UInt32)
        throws
    {
        let bytes = try Self.golden.fromJSON().compact
        for field in 0..<3 {
            var changed = bytes
            for byte in 0..<4 { changed[4 * field + byte] = UInt8(truncatingIfNeeded: count >> (8 * UInt32(byte))) }
            refuse(changed, "count \(field) is \(count)")
        }
    }

    /// Where things lie in the bytes.
    private struct Places {
        let tokens, text, merges: Int
        var kinds: Int { 12 }
        var lengths: Int { kinds + tokens }
        var spellings: Int { lengths + 2 * tokens }
        var pairs: Int { spellings + text }

        init(_ bytes: [UInt8]) {
            func number(_ offset: Int) -> Int {
                (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
            }
            (tokens, text, merges) = (number(0), number(4), number(8))
        }
    }

    @Test func whatIsOutOfRangeIsRefused() throws {
        let bytes = try Self.golden.fromJSON().compact
        let places = Places(bytes)
        for kind in [5, 0x7F, 0xFF] as [UInt8] {
            var changed = bytes
            changed[places.kinds + 20] = kind
            refuse(changed, "kind \(kind)")
        }
        for length in [0xFF, 0x40] as [UInt8] {
            var changed = bytes
            changed[places.lengths + 2 * 30 + 1] = length
            refuse(changed, "a token of \(length) × 256 bytes")
        }
        var shorter = bytes
        shorter[places.lengths + 2 * 40] -= 1
        refuse(shorter, "text that no token has")
        for field in 0..<3 {
            for id in [UInt32(places.tokens), .max, 1 << 31] {
                var changed = bytes
                for byte in 0..<4 {
                    changed[places.pairs + 4 * field + byte] = UInt8(truncatingIfNeeded: id >> (8 * UInt32(byte)))
                }
                refuse(changed, "a merge of token \(id)")
            }
        }
        var twice = bytes
        for offset in 0..<6 { twice[places.spellings + offset + 5] = twice[places.spellings + offset] }
        refuse(twice, "two tokens of one spelling")
        var kinds = bytes
        for id in 0..<places.tokens { kinds[places.kinds + id] = 0 }
        refuse(kinds, "no tokens")
    }

    /// Any byte may be anything: an error or a tokenizer that works, never a crash.
    @Test func changedBytesDoNoHarm() throws {
        var random = SplitMix64(seed: 5)
        let bytes = try Self.golden.fromJSON().compact
        let places = Places(bytes)
        let regions = [
            0..<12, 12..<places.lengths, places.lengths..<places.spellings, places.spellings..<places.pairs,
            places.pairs..<bytes.count
        ]
        let texts = Self.golden.cases.map(\.text).joined()
        var read = 0
        for round in 0..<1_500 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = regions[round % regions.count].randomElement(using: &random)!
                changed[place] =
                    Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : changed[place] ^ 1
            }
            guard let tokenizer = try? Self.read(changed) else { continue }
            read += 1
            for specials in [true, false] {
                let ids = tokenizer.encode(texts, specials: specials)
                #expect(ids.allSatisfy((0..<tokenizer.count).contains))
                _ = tokenizer.decode(ids)
            }
        }
        #expect(read > 100)
    }
}
