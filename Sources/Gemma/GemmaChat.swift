package import Tokenizers

/// Gemma's turn format: a conversation as token ids.
///
/// ```
/// <bos><start_of_turn>user\n{system}\n\n{parts}<end_of_turn>\n<start_of_turn>model\n
/// ```
/// Text parts are trimmed. A sound or a picture is its tags and soft tokens between two newlines each, and newlines on both
/// sides of a seam are one token. What users write never becomes a special token.
package struct GemmaChat: Sendable {
    package enum Role: String, Sendable { case user, model }

    package enum Part: Sendable, Equatable {
        case text(String)
        /// So many soft tokens.
        case audio(tokens: Int)
        case image(tokens: Int)
    }

    package struct Turn: Sendable, Equatable {
        package var role: Role
        package var parts: [Part]

        package init(_ role: Role, _ parts: [Part]) { (self.role, self.parts) = (role, parts) }

        package init(_ role: Role, _ text: String) { self.init(role, [.text(text)]) }
    }

    /// A prompt, and where in it the soft tokens of sounds and pictures stand, in the order of the parts.
    package struct Prompt: Sendable, Equatable {
        package var ids: [Int] = []
        package var media: [Range<Int>] = []
    }

    package let tokenizer: GemmaTokenizer
    /// Ids that end an answer.
    package let endTokens: Set<Int>
    let config: GemmaConfig

    /// - Throws: `GemmaError.badTokenizer`.
    package init(_ tokenizer: GemmaTokenizer, config: GemmaConfig) throws(GemmaError) {
        func id(_ name: String) throws(GemmaError) -> Int {
            guard let id = try? tokenizer.id(of: name), tokenizer.isSpecial(id), id < config.text.textVocabulary else {
                throw .badTokenizer(reason: "it has no special token '\(name)' below \(config.text.textVocabulary)")
            }
            return id
        }
        for name in ["<bos>", "<start_of_turn>"] { _ = try id(name) }
        let tags = [
            "<start_of_image>": config.beginImageToken, "<end_of_image>": config.endImageToken,
            "<image_soft_token>": config.imageToken, "<start_of_audio>": config.beginAudioToken,
            "<end_of_audio>": config.endAudioToken, "<audio_soft_token>": config.audioToken
        ]
        // A GGUF file may have no names for the ids behind the text.
        for (name, wanted) in tags.sorted(by: { $0.key < $1.key }) {
            if let found = try? tokenizer.id(of: name), found != wanted {
                throw .badTokenizer(reason: "'\(name)' is token \(found), and \(wanted) in config.json")
            }
        }
        endTokens = Set(config.endTokens + [try id("<end_of_turn>")])
        (self.tokenizer, self.config) = (tokenizer, config)
    }

    /// A conversation from its beginning, up to where the model answers.
    /// - Parameter system: Instructions, put in front of the first turn.
    package func prompt(_ turns: [Turn], system: String? = nil) -> Prompt {
        var writer = Writer(self)
        writer.text.append(template: "<bos>")
        for (index, turn) in turns.enumerated() { writer.append(turn, system: index == 0 ? system : nil) }
        return writer.finish()
    }

    /// Further turns behind an answer, whose ending token was chosen but not run.
    package func continuation(_ turns: [Turn]) -> Prompt {
        var writer = Writer(self)
        writer.text.append(template: "<end_of_turn>\n")
        for turn in turns { writer.append(turn, system: nil) }
        return writer.finish()
    }

    private struct Writer {
        private let chat: GemmaChat
        private var prompt = Prompt()
        var text = GemmaText()

        init(_ chat: GemmaChat) { self.chat = chat }

        mutating func append(_ turn: Turn, system: String?) {
            text.append(template: "<start_of_turn>\(turn.role.rawValue)\n")
            if let system {
                text.append(quoted: system)
                text.append(template: "\n\n")
            }
            let config = chat.config
            for part in turn.parts {
                switch part {
                case .text(let words): text.append(quoted: GemmaChat.trimmed(words))
                case .audio(let count):
                    append(config.audioToken, count, between: config.beginAudioToken, and: config.endAudioToken)
                case .image(let count):
                    append(config.imageToken, count, between: config.beginImageToken, and: config.endImageToken)
                }
            }
            text.append(template: "<end_of_turn>\n")
        }

        /// The tags cut the text, so what is before and behind them is encoded on its own.
        private mutating func append(_ soft: Int, _ count: Int, between begin: Int, and end: Int) {
            text.append(template: "\n\n")
            flush()
            prompt.ids.append(begin)
            prompt.media.append(prompt.ids.count..<prompt.ids.count + count)
            prompt.ids += Array(repeating: soft, count: count) + [end]
            text.append(template: "\n\n")
        }

        private mutating func flush() {
            prompt.ids += chat.tokenizer.encode(text)
            text = GemmaText()
        }

        mutating func finish() -> Prompt {
            text.append(template: "<start_of_turn>model\n")
            flush()
            return prompt
        }
    }

    /// Without white space at both ends, as Python's `strip` has it: U+001C to U+001F are some too.
    private static func trimmed(_ text: String) -> String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}
