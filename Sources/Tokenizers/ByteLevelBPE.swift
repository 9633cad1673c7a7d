import Foundation
import Synchronization

/// A byte-level BPE tokenizer as GPT-2 and Whisper use it: text to token ids and back.
///
/// ```
/// text ─ WordSplitter ─► words ─ MergeTable (tokenizer.json, read on first use) ─► ids
/// ids ─ Vocabulary (vocabulary.txt) ─► spellings ─ ByteSpelling ─► bytes ─► text (TokenText, piece by piece)
/// ```
/// Special tokens (`<|…|>`) are known by name; their ids differ between vocabularies and are never constants.
package struct ByteLevelBPE: Sendable, TokenBytes {
    private let vocabulary: Vocabulary
    private let merges: LazyMerges

    /// Reads `vocabulary.txt` or `vocabulary.json` of a model's folder. `tokenizer.json`, four times the size, is read
    /// when `encode` is first called.
    /// - Throws: `TokenizerError` when the vocabulary is missing or damaged.
    package init(folder: String) throws(TokenizerError) {
        vocabulary = try Vocabulary(folder: folder)
        merges = LazyMerges(path: (folder as NSString).appendingPathComponent("tokenizer.json"))
    }

    /// Number of tokens, specials included; ids are below it.
    package var count: Int { vocabulary.count }

    /// The id of a special token, such as `<|startoftranscript|>` or `<|0.00|>`.
    /// - Throws: `TokenizerError.noSuchToken`.
    package func id(of special: String) throws(TokenizerError) -> Int {
        guard let id = vocabulary.specials[special] else { throw .noSuchToken(name: special) }
        return id
    }

    /// All special tokens: name → id.
    package var specials: [String: Int] { vocabulary.specials }

    package func isSpecial(_ id: Int) -> Bool { vocabulary.isSpecial(id) }

    /// The token as it is written in the vocabulary (`Ġthe`, `<|en|>`); empty for an id beyond it.
    package func spelling(of id: Int) -> String { String(decoding: vocabulary.spelling(of: id), as: UTF8.self) }

    /// The bytes of text a token stands for, which may be part of a character. None for special tokens and for ids
    /// beyond the vocabulary (a model may compute more logits than there are tokens).
    package func bytes(of id: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        if !vocabulary.isSpecial(id) { ByteSpelling.append(vocabulary.spelling(of: id), to: &bytes) }
        return bytes
    }

    /// The text of a sequence; special tokens are left out, broken UTF-8 becomes U+FFFD.
    package func decode(_ ids: some Sequence<Int>) -> String {
        var text: [UInt8] = []
        for id in ids where !vocabulary.isSpecial(id) { ByteSpelling.append(vocabulary.spelling(of: id), to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The tokens of a text. Never a special one: text that looks like `<|en|>` is encoded letter by letter, so what a
    /// user writes cannot steer the model.
    /// - Throws: `TokenizerError` when `tokenizer.json` is missing or damaged; it is read once.
    package func encode(_ text: String) throws(TokenizerError) -> [Int] {
        let table = try merges.table(for: vocabulary)
        var ids: [Int] = []
        var words = WordSplitter(text)
        while let word = words.next() { table.encode(word, into: &ids) }
        return ids
    }
}

/// The merges, read when first asked for and shared by all copies of a tokenizer.
private final class LazyMerges: Sendable {
    private let path: String
    private let table = Mutex<MergeTable?>(nil)

    init(path: String) { self.path = path }

    func table(for vocabulary: Vocabulary) throws(TokenizerError) -> MergeTable {
        try table.withLock { table throws(TokenizerError) in
            if let table { return table }
            let read = try MergeTable(path: path, vocabulary: vocabulary)
            table = read
            return read
        }
    }
}
