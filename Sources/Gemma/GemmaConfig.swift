/// What config.json says about the whole model.
package struct GemmaConfig: Sendable, Equatable {
    package var text: GemmaTextConfig
    /// Nil of a model that is text alone.
    package var audio: GemmaAudioConfig?
    /// Ids that end an answer: `<end_of_turn>` and `<eos>`.
    package var endTokens: [Int]  // eos_token_id
    package var beginImageToken: Int  // boi_token_id
    package var endImageToken: Int
    package var imageToken: Int
    package var beginAudioToken: Int  // boa_token_id
    package var endAudioToken: Int
    package var audioToken: Int
    package var tokensPerImage: Int  // vision_soft_tokens_per_image
    package var tokensPerAudio: Int  // audio_soft_tokens_per_image

    /// Reads `config.json` in `folder`; keys that are not ours are ignored.
    /// - Throws: `GemmaError.missing`, `.badConfig` with every problem.
    package init(folder: String) throws(GemmaError) { try self.init(file: "\(folder)/config.json") }

    package init(file: String) throws(GemmaError) {
        try self.init(ConfigReader.values(file: file), source: file)
    }

    /// - Parameters:
    ///   - values: The members of a `config.json`.
    ///   - file: What messages name.
    init(_ values: [String: ConfigValue], source file: String) throws(GemmaError) {
        let reader = ConfigReader(values)
        let kind = reader.value("model_type")
        let textReader: ConfigReader
        if case .text("gemma3n_text")? = kind {
            textReader = reader
        } else {
            reader.require("model_type", "gemma3n")
            if kind == nil { reader.note("model_type", "is missing") }
            guard let nested = reader.object("text_config") else {
                reader.note("text_config", "is missing")
                throw .badConfig(file: file, problems: reader.problems.list)
            }
            textReader = nested
        }
        let text = GemmaTextConfig(textReader)
        audio = reader.object("audio_config").map(GemmaAudioConfig.init)
        func token(_ key: String, _ absent: Int) -> Int {
            reader.integer(key, in: 0...1 << 21, default: absent)
        }
        beginImageToken = token("boi_token_id", 255_999)
        endImageToken = token("eoi_token_id", 262_144)
        imageToken = token("image_token_id", 262_145)
        beginAudioToken = token("boa_token_id", 256_000)
        endAudioToken = token("eoa_token_id", 262_272)
        audioToken = token("audio_token_id", 262_273)
        tokensPerImage = reader.integer("vision_soft_tokens_per_image", in: 1...65_536, default: 256)
        tokensPerAudio = reader.integer("audio_soft_tokens_per_image", in: 1...65_536, default: 188)
        endTokens = Self.endTokens(reader)
        self.text = text
        guard reader.problems.list.isEmpty else { throw .badConfig(file: file, problems: reader.problems.list) }
    }

    private static func endTokens(_ reader: ConfigReader) -> [Int] {
        if case .list(let list)? = reader.value("eos_token_id"), (1...64).contains(list.count) {
            return reader.integers("eos_token_id", count: list.count, in: 0...1 << 21)
        }
        return [reader.integer("eos_token_id", in: 0...1 << 21, default: 1)]
    }
}
