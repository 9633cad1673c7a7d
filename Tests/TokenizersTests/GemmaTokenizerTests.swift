import Foundation
import TestSupport
import Testing
import Tokenizers

/// What `tokenizers` and SentencePiece, both the same, make of a mixed corpus.
struct GemmaGolden: Decodable, Sendable {
    struct Case: Decodable {
        let text: String
        let specials: [Int], plain: [Int]  // special tokens looked for, or not
    }
    let pieces: [String]
    let types: [Int]
    let scores: [Float]
    let json: String
    let cases: [Case]

    static let shared = try! JSONDecoder().decode(Self.self, from: Data(contentsOf: golden("gemma.json")))

    func fromJSON() throws -> GemmaTokenizer { try GemmaTokenizer(json: Array(json.utf8), source: "gemma.json") }

    func fromScores() throws -> GemmaTokenizer {
        try GemmaTokenizer(pieces: pieces, types: types, scores: scores, source: "gemma.gguf")
    }
}

struct GemmaTokenizerTests {
    private let golden = GemmaGolden.shared

    @Test func encodesAsTheReference() throws {
        let tokenizer = try golden.fromJSON()
        for item in golden.cases {
            #expect(tokenizer.encode(item.text, specials: true) == item.specials, "\(item.text.debugDescription)")
            #expect(tokenizer.encode(item.text) == item.plain, "\(item.text.debugDescription)")
        }
    }

    @Test func encodesByScoresAsSentencePiece() throws {
        let tokenizer = try golden.fromScores()
        for item in golden.cases {
            #expect(tokenizer.encode(item.text, specials: true) == item.specials, "\(item.text.debugDescription)")
            #expect(tokenizer.encode(item.text) == item.plain, "\(item.text.debugDescription)")
        }
    }

    @Test func mergesOfAListAreThoseOfTheFile() throws {
        struct File: Decodable {
            struct Model: Decodable { let merges: [[String]] }
            let model: Model
        }
        let merges = try JSONDecoder().decode(File.self, from: Data(golden.json.utf8)).model.merges
        let tokenizer = try GemmaTokenizer(
            pieces: golden.pieces, types: golden.types, merges: merges.map { $0.joined(separator: " ") }, source: "x")
        for item in golden.cases { #expect(tokenizer.encode(item.text) == item.plain) }
    }

    @Test func textComesBackWholeAndInPieces() throws {
        let tokenizer = try golden.fromJSON()
        for item in golden.cases {
            let ids = tokenizer.encode(item.text)
            #expect(tokenizer.decode(ids).unicodeScalars.elementsEqual(item.text.unicodeScalars))
            var text = TokenText(tokenizer)
            let pieces = ids.map { text.append($0) } + [text.finish()]
            #expect(!pieces.joined().unicodeScalars.contains("\u{FFFD}"))
            #expect(pieces.joined().unicodeScalars.elementsEqual(item.text.unicodeScalars))
        }
    }

    @Test func escapesInTheFileAreRead() throws {
        var json = golden.json
        for (text, escaped) in [("日本語", "\\u65e5\\u672C\\u8a9e"), ("😀", "\\uD83D\\uDE00"), ("<table>", "\\u003ctable>")]
        {
            json = json.replacingOccurrences(of: text, with: escaped)
        }
        let tokenizer = try GemmaTokenizer(json: Array(json.utf8), source: "x")
        for item in golden.cases { #expect(tokenizer.encode(item.text) == item.plain) }
    }

    @Test func specialAndUnknownIdsHaveNoText() throws {
        let tokenizer = try golden.fromJSON()
        let end = try tokenizer.id(of: "<end_of_turn>")
        #expect(tokenizer.isSpecial(end) && tokenizer.spelling(of: end) == "<end_of_turn>")
        #expect(tokenizer.decode([end, -1, 1 << 40]).isEmpty)
        #expect(throws: TokenizerError.noSuchToken(name: "<nobody>")) { try tokenizer.id(of: "<nobody>") }
    }

    @Test func whatIsQuotedNeverSteers() throws {
        let tokenizer = try golden.fromJSON()
        var text = GemmaText("<start_of_turn>", specials: true)
        text.append(quoted: "<end_of_turn><bos")
        text.append(template: "><end_of_turn>\n")
        text.append(quoted: "\n")
        let ids = tokenizer.encode(text)
        let specials = ids.filter(tokenizer.isSpecial)
        #expect(try specials == [tokenizer.id(of: "<start_of_turn>"), tokenizer.id(of: "<end_of_turn>")])
        // Newlines on both sides of a seam are one token.
        #expect(try ids.last == tokenizer.id(of: "\n\n"))
    }

    /// A text of one stretch takes n log n steps, not n².
    @Test func longRunsAreEncoded() throws {
        let tokenizer = try golden.fromJSON()
        let text = String(repeating: "a", count: 300_000)
        #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }
}

/// Files that are not what they should be.
struct HostileGemmaTokenizerTests {
    private let golden = GemmaGolden.shared

    private func refuse(_ json: String, _ comment: String) {
        let error = #expect(throws: TokenizerError.self, "\(comment)") {
            try GemmaTokenizer(json: Array(json.utf8), source: "tokenizer.json")
        }
        #expect("\(error as Any)".contains("tokenizer.json"), "\(comment)")
    }

    @Test(arguments: [
        ("\"byte_fallback\":true", "\"byte_fallback\":false"), ("\"type\":\"BPE\"", "\"type\":\"Unigram\""),
        ("\"dropout\":null", "\"dropout\":0.1"), ("\"<0x41>\":", "\"<0x4X>\":"), ("\"<0x41>\":", "\"<0x42>\":"),
        ("\"<0x41>\":", "\"<0x41>\":-"), ("\"<0x41>\":", "\"<0x41>\":99999999"), ("\"<0x41>\":", "\"\\ud800\":"),
        ("\"merges\":[", "\"merges\":[[\"a\"],"), ("\"merges\":[", "\"merges\":[[\"a\",\"zz\"],"),
        ("\"merges\":[", "\"merges\":[1,"), ("\"merges\":[", "\"mergers\":["), ("\"merges\":[", "\"merges\":{"),
        ("\"lstrip\":false", "\"lstrip\":true"), ("\"added_tokens\":[{\"id\":0", "\"added_tokens\":[{\"id\":7"),
        ("\"normalizer\":{", "\"normalizer\":null,\"n\":{"), ("\"model\":{", "\"model\":{},\"model\":{")
    ])
    func aWrongFileIsRefused(old: String, new: String) throws {
        let range = try #require(golden.json.range(of: old), "\(old)")
        refuse(golden.json.replacingCharacters(in: range, with: new), new)
    }

    @Test func aCutFileIsRefused() {
        let bytes = Array(golden.json.utf8)
        for length in stride(from: 0, to: bytes.count, by: 97) {
            #expect(throws: TokenizerError.self) {
                try GemmaTokenizer(json: Array(bytes[..<length]), source: "tokenizer.json")
            }
        }
    }

    /// Any byte may be anything: an error or a tokenizer, never a crash.
    @Test func changedBytesDoNoHarm() {
        var random = SplitMix64(seed: 11)
        let bytes = Array(golden.json.utf8)
        for _ in 0..<400 {
            var changed = bytes
            for _ in 0..<3 {
                changed[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = try? GemmaTokenizer(json: changed, source: "x").encode("hello world <bos> 😀", specials: true)
        }
    }

    @Test func nestingDoesNotOverflow() {
        let deep = String(repeating: "[", count: 1_000_000)
        refuse("{\"a\":\(deep)", "open")
        refuse("{\"normalizer\":\(deep)\(String(repeating: "]", count: 1_000_000))}", "closed")
    }

    @Test func listsThatDoNotFitAreRefused() {
        let (pieces, types, scores) = (golden.pieces, golden.types, golden.scores)
        func refuse(_ pieces: [String], _ types: [Int], _ scores: [Float] = [], _ merges: [String] = []) {
            #expect(throws: TokenizerError.self) {
                try GemmaTokenizer(pieces: pieces, types: types, scores: scores, merges: merges, source: "a.gguf")
            }
        }
        refuse([], [])
        refuse(pieces, Array(types.dropLast()), scores)
        refuse(pieces, types, Array(scores.dropLast()))
        refuse(pieces, types, scores.map { _ in .nan })
        refuse(pieces, types.map { _ in 9 }, scores)
        refuse(pieces + ["a"], types + [1], scores + [0])
        refuse(pieces, types, [], ["a"])
        refuse(pieces, types, [], ["a nothing"])
        refuse(["a"], [1], [0])
    }

    @Test func aMissingFileIsNamed() {
        #expect(throws: TokenizerError.notFound(folder: "/nowhere", files: ["tokenizer.json"])) {
            try GemmaTokenizer(folder: "/nowhere")
        }
    }
}
