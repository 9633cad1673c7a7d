import Foundation
import TestSupport
import Testing
import Tokenizers
import Weights

/// Gemma's own vocabulary, which pull_vocabulary.py pulls.
@Suite(.enabled(if: RealData.gemmaFile != nil, Comment(rawValue: RealData.needsGemmaFile)))
struct GemmaVocabularyTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            let text: String
            let specials: [Int]
            let plain: [Int]?  // where it is something else
        }
        let cases: [Case]
    }

    private static let pieces = 262_144

    private let tokenizer: GemmaTokenizer
    private let cases: [Golden.Case]

    init() throws {
        let file = try #require(RealData.gemmaFile)
        let header = try #require(try Checkpoint.open(file).header)
        tokenizer = try GemmaTokenizer(
            pieces: header.texts("tokenizer.ggml.tokens"), types: header.integers("tokenizer.ggml.token_type"),
            scores: header.floats("tokenizer.ggml.scores"), source: file)
        cases = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: golden("gemma-vocabulary.json"))).cases
    }

    private func check(_ tokenizer: GemmaTokenizer) {
        #expect(tokenizer.count == Self.pieces)
        for item in cases {
            let plain = item.plain ?? item.specials
            #expect(tokenizer.encode(item.text, specials: true) == item.specials, "\(item.text.debugDescription)")
            #expect(tokenizer.encode(item.text) == plain, "\(item.text.debugDescription)")
            // U+2581 is how a blank is spelled, so it comes back as one.
            let text = item.text.replacingOccurrences(of: "\u{2581}", with: " ")
            #expect(tokenizer.decode(plain).unicodeScalars.elementsEqual(text.unicodeScalars))
        }
    }

    @Test func encodesAsTheReference() { check(tokenizer) }

    @Test func itsCompactFormIsTheSame() throws {
        let bytes = tokenizer.compact
        let read = try bytes.withUnsafeBytes { bytes in
            Result { () throws(TokenizerError) in try GemmaTokenizer(compact: bytes, source: "compact") }
        }.get()
        check(read)
        #expect(read.compact == bytes)
    }
}
