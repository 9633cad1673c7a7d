import Tokenizers

/// The ids that steer Whisper, found by their spelling in the vocabulary.
package struct SpecialTokens: Sendable {
    package let endOfText: Int
    package let startOfTranscript: Int
    package let translate: Int
    package let transcribe: Int
    package let startOfPrevious: Int
    package let noSpeech: Int
    package let noTimestamps: Int
    /// Language code to id, and back by `language(of:)`.
    package let languages: [String: Int]
    package let isMultilingual: Bool
    let vocabularySize: Int

    /// `<|0.00|>`; the 1501 timestamps follow in steps of 20 ms and end the vocabulary.
    package var timestampBegin: Int { noTimestamps + 1 }

    init(_ tokenizer: ByteLevelBPE, vocabularySize: Int, file: String) throws {
        func id(_ spellings: String...) throws -> Int {
            for spelling in spellings {
                if let id = tokenizer.specials[spelling] { return id }
            }
            throw WhisperError.unusable(file: file, reason: "token \(spellings[0]) is not in it")
        }
        endOfText = try id("<|endoftext|>")
        startOfTranscript = try id("<|startoftranscript|>")
        translate = try id("<|translate|>")
        transcribe = try id("<|transcribe|>")
        startOfPrevious = try id("<|startofprev|>")
        noSpeech = try id("<|nocaptions|>", "<|nospeech|>")
        noTimestamps = try id("<|notimestamps|>")
        var languages: [String: Int] = [:]
        for token in (startOfTranscript + 1)..<max(translate, startOfTranscript + 1) {
            let text = tokenizer.spelling(of: token)
            guard text.hasPrefix("<|"), text.hasSuffix("|>") else { continue }
            languages[String(text.dropFirst(2).dropLast(2))] = token
        }
        self.languages = languages
        self.vocabularySize = vocabularySize
        // The published rule: the English-only vocabulary has one token less.
        isMultilingual = vocabularySize >= 51_865
        guard noTimestamps + 1 < vocabularySize else {
            throw WhisperError.unusable(file: file, reason: "it ends before the timestamps")
        }
    }

    package func language(of token: Int) -> String? { languages.first { $0.value == token }?.key }

    func isTimestamp(_ token: Int) -> Bool { token >= timestampBegin }
    func isText(_ token: Int) -> Bool { token < endOfText }
}
