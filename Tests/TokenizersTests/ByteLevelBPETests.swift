import Foundation
import Testing
import Tokenizers

/// A folder with a small tokenizer: all 256 bytes, a few merges, an unused empty token and specials.
struct SmallTokenizer: ~Copyable {
    let folder: URL

    static let byteSpellings: [String] = {
        let printable = Set(Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF))
        var next = 0x100
        return (0..<256).map { byte in
            if printable.contains(byte) { return String(Unicode.Scalar(UInt32(byte))!) }
            defer { next += 1 }
            return String(Unicode.Scalar(UInt32(next))!)
        }
    }()
    static let merges = [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"], ["Ġ", "w"]]
    static let tokens =
        byteSpellings + merges.map { $0.joined() } + ["", "<|endoftext|>", "<|startoftranscript|>", "<|0.00|>"]

    init(vocabulary: String? = nil, json: String? = nil, tokenizer: String? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if let json {
            try Data(json.utf8).write(to: folder.appendingPathComponent("vocabulary.json"))
        } else {
            let text = vocabulary ?? Self.tokens.map { $0 + "\n" }.joined()
            try Data(text.utf8).write(to: folder.appendingPathComponent("vocabulary.txt"))
        }
        let merges = try JSONEncoder().encode(["model": ["merges": Self.merges]])
        try (tokenizer.map { Data($0.utf8) } ?? merges).write(to: folder.appendingPathComponent("tokenizer.json"))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
}

struct ByteLevelBPETests {
    @Test func mergesByRank() throws {
        let small = try SmallTokenizer()
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        let ids = try tokenizer.encode("hello world")
        #expect(ids.map(tokenizer.spelling(of:)) == ["hello", "Ġw", "o", "r", "l", "d"])
        #expect(tokenizer.decode(ids) == "hello world")
    }

    @Test func readsMergesInBothSpellings() throws {
        let text = SmallTokenizer.merges.map { $0.joined(separator: " ") }
        let json = String(decoding: try JSONEncoder().encode(["model": ["merges": text]]), as: UTF8.self)
        let small = try SmallTokenizer(tokenizer: json)
        #expect(try ByteLevelBPE(folder: small.folder.path).encode("hello").count == 1)
    }

    @Test func readsAVocabularyInJSON() throws {
        let json = String(decoding: try JSONEncoder().encode(SmallTokenizer.tokens), as: UTF8.self)
        let small = try SmallTokenizer(json: json)
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        #expect(tokenizer.count == SmallTokenizer.tokens.count)
        #expect(try tokenizer.id(of: "<|endoftext|>") == 262)
    }

    @Test func anEmptyLineAndAMissingLastLineBreakKeepTheIds() throws {
        let small = try SmallTokenizer(vocabulary: "a\n\n\u{2028}\u{0085}\r\n<|x|>")
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        #expect(tokenizer.count == 4)
        #expect(try tokenizer.id(of: "<|x|>") == 3)
        #expect(tokenizer.spelling(of: 2) == "\u{2028}\u{0085}\r")
    }

    @Test func textThatLooksLikeASpecialTokenStaysText() throws {
        let small = try SmallTokenizer()
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        let ids = try tokenizer.encode("<|endoftext|>")
        #expect(!ids.contains(where: tokenizer.isSpecial))
        #expect(tokenizer.decode(ids) == "<|endoftext|>")
    }

    @Test func specialAndUnknownIdsHaveNoText() throws {
        let small = try SmallTokenizer()
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        #expect(tokenizer.decode([262, 263, 264, 265, 999_999, -1]) == "")
        #expect(tokenizer.bytes(of: 999_999) == [])
    }

    @Test func aCharacterIsHeldBackUntilItIsComplete() throws {
        let small = try SmallTokenizer()
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        var text = TokenText(tokenizer)
        #expect(try tokenizer.encode("a😀é").map { text.append($0) } == ["a", "", "", "", "😀", "", "é"])
        #expect(text.finish() == "")
    }

    @Test func brokenCharactersInPiecesEqualTheWhole() throws {
        let small = try SmallTokenizer()
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        let bytes = [0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xA0, 0x9F, 0xF0, 0x90, 0xF4, 0xFF]
        for first in bytes {
            for second in bytes {
                for third in bytes {
                    let ids = [0x61, first, second, third, 0x90]
                    var text = TokenText(tokenizer)
                    let pieces = ids.map { text.append($0) } + [text.finish()]
                    #expect(pieces.joined() == tokenizer.decode(ids), "\(ids)")
                }
            }
        }
    }

    @Test func saysWhatIsMissing() throws {
        #expect(throws: TokenizerError.notFound(folder: "/nowhere", files: ["vocabulary.txt", "vocabulary.json"])) {
            try ByteLevelBPE(folder: "/nowhere")
        }
        let small = try SmallTokenizer(tokenizer: "{}")
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        #expect(throws: TokenizerError.self) { try tokenizer.encode("a") }
        #expect(throws: TokenizerError.noSuchToken(name: "<|nobody|>")) { try tokenizer.id(of: "<|nobody|>") }
    }

    @Test(arguments: ["{\"model\":{\"merges\":[\"a\"]}}", "{\"model\":{\"merges\":[\"a zz\"]}}", "[", ""])
    func refusesDamagedMerges(json: String) throws {
        let small = try SmallTokenizer(tokenizer: json)
        let tokenizer = try ByteLevelBPE(folder: small.folder.path)
        #expect(throws: TokenizerError.self) { try tokenizer.encode("a") }
    }
}
